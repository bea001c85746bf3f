import type { AgentTable, SpawnTable } from "../features/agent/agent.table.ts";
import type { BoardCountTable } from "../features/board/board.table.ts";
import type { LoanTable } from "../features/borrow/loan.table.ts";
import type { ClientTaskTable } from "../features/bridge/bridge.table.ts";
import type { ContextLoadTable, RunSpawnTable, SpawnPlanTable } from "../features/brief/spawn-plan.table.ts";
import type { CheckpointTable } from "../features/checkpoint/checkpoint.table.ts";
import type { CoordinationRoundTable } from "../features/coordination/round.table.ts";
import type { DependencyTable } from "../features/dependency/dependency.table.ts";
import type { AttemptTable, EscalationTable } from "../features/escalation/escalation.table.ts";
import type { EventTable, IdempotencyTable, MetaTable } from "../features/event/event.table.ts";
import type { FileLeaseTable } from "../features/file/file.table.ts";
import type { KnowledgeSourceTable, KnowledgeTable } from "../features/knowledge/knowledge.table.ts";
import type { MessageCursorTable, MessageTable } from "../features/message/message.table.ts";
import type { OverheadStepTable } from "../features/overhead/overhead.table.ts";
import type { BacklogTable, StoryTable } from "../features/portfolio/portfolio.table.ts";
import type { DesignReviewTable, ReviewTable } from "../features/review/review.table.ts";
import type { RunTable } from "../features/run/run.table.ts";
import type { SprintTable, SprintTeamTable } from "../features/sprint/sprint.table.ts";
import type { ReportAskTable, ReportTable, TagTable } from "../features/tag/tag.table.ts";
import type {
  BlockedMovedTable,
  CommentTable,
  ForeignRowTable,
  LabelTable,
  LinkTable,
  TaskClosureTable,
  TaskTable,
} from "../features/task/task.table.ts";
import type {
  GateRunTable,
  HistoryLookTable,
  UnitAttemptTable,
  UnitInstanceTable,
  UnitOverrideTable,
  UnitTable,
} from "../features/unit/unit.table.ts";

/** Every table, in the one place that lists them. */
export interface Database {
  meta: MetaTable;
  event: EventTable;
  idempotency: IdempotencyTable;
  task: TaskTable;
  task_label: LabelTable;
  task_comment: CommentTable;
  task_closure: TaskClosureTable;
  blocked_moved: BlockedMovedTable;
  link: LinkTable;
  foreign_row: ForeignRowTable;
  board_count: BoardCountTable;
  dependency: DependencyTable;
  agent: AgentTable;
  spawn: SpawnTable;
  run: RunTable;
  escalation: EscalationTable;
  attempt: AttemptTable;
  checkpoint: CheckpointTable;
  file_lease: FileLeaseTable;
  message: MessageTable;
  message_cursor: MessageCursorTable;
  knowledge: KnowledgeTable;
  knowledge_source: KnowledgeSourceTable;
  spawn_plan: SpawnPlanTable;
  run_spawn: RunSpawnTable;
  context_load: ContextLoadTable;
  report: ReportTable;
  report_ask: ReportAskTable;
  tag: TagTable;
  unit: UnitTable;
  unit_attempt: UnitAttemptTable;
  gate_run: GateRunTable;
  unit_instance: UnitInstanceTable;
  unit_override: UnitOverrideTable;
  history_look: HistoryLookTable;
  review: ReviewTable;
  design_review: DesignReviewTable;
  client_task: ClientTaskTable;
  overhead_step: OverheadStepTable;
  story: StoryTable;
  backlog: BacklogTable;
  sprint: SprintTable;
  sprint_team: SprintTeamTable;
  loan: LoanTable;
  coordination_round: CoordinationRoundTable;
}
