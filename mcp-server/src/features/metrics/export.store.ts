import type { OperationContext } from "../../kernel/operation.ts";
import { loopMetrics } from "./loop.store.ts";
import type { MetricFamily } from "./prometheus.rules.ts";
import { sprintMetrics } from "./sprint.store.ts";
import { workMetrics } from "./work.store.ts";

/** All metrics there are samples of. */
export async function allMetrics({ db, config, now }: OperationContext): Promise<MetricFamily[]> {
  const teams = config.teams.map(({ id }) => id);
  const families = [
    ...(await workMetrics(db, teams, now)),
    ...(await sprintMetrics(db, config, now)),
    ...(await loopMetrics(db, teams)),
  ];
  return families.filter((family) => family.samples.length > 0);
}
