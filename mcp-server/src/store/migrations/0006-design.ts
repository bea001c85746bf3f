import type { Migration } from "./migration.ts";

/** What a design review found by walking use cases through the design and by asking who could misuse it (FP-14). */
export const designSchema: Migration = {
  name: "0006-design",
  statements: () => [
    `alter table design_review add column use_cases text not null default '[]'`,
    `alter table design_review add column threats text not null default '[]'`,
    `create index report_task on report (task_key, id) where task_key is not null`,
    `create index tag_routed on tag (routed_to) where routed_to is not null`,
  ],
};
