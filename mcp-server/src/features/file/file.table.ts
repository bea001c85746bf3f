import type { Generated } from "kysely";

/** One glob that one task's holder alone may write, from the claim to its end (C-13). */
export interface FileLeaseTable {
  id: Generated<number>;
  task_id: number;
  glob: string;
  /** `scope` follows the task's scope, `asked` was taken by file_lease. */
  origin: string;
  /** Principal key. */
  holder: string;
  holder_name: string;
  since: number;
  released_at: number | null;
}
