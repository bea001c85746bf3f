/** Units of a run by their phases, as brief_show has them. */
export interface RunToLead {
  readonly open_tags?: number | undefined;
  readonly units: readonly { readonly phase: string }[];
}

const stepOf: Readonly<Record<string, string>> = {
  commit: "unit_commit",
  review: "review_open",
  validate: "unit_validate",
  planned: "unit_start",
  implement: "board_show",
};

/**
 * What a lead looks at next (requirement CA-06): signals nobody has dealt with, what is blocked, then the unit nearest
 * to its end; with all of them over the run is, too. Operations, best first, each once.
 */
export function leadSteps(run: RunToLead, blocked: number): string[] {
  const open = run.units.filter(({ phase }) => phase !== "done" && phase !== "abandoned");
  const steps = Object.entries(stepOf).flatMap(([phase, step]) =>
    open.some((unit) => unit.phase === phase) ? [step] : [],
  );
  return [
    ...((run.open_tags ?? 0) > 0 ? ["tag_list"] : []),
    ...(blocked > 0 ? ["task_update", "message_send"] : []),
    ...(open.length === 0 ? ["unit_end"] : steps.length > 0 ? steps : ["checkpoint_request"]),
  ];
}

/** What whoever holds tasks does next. `unit`: the one that a task is done in. */
export function holderSteps(holding: readonly { readonly unit?: { readonly phase: string } | undefined }[]): string[] {
  const isDue = holding.some(({ unit }) => unit?.phase === "implement");
  const isFree = holding.some(({ unit }) => unit === undefined);
  return [
    ...(isDue ? ["unit_submit"] : []),
    ...(isDue || isFree ? ["task_update"] : []),
    ...(isFree ? ["board_move", "task_close"] : []),
  ];
}
