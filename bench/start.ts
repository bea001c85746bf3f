import { seedProject } from "./seed.ts";
import {
  type Bench,
  inMs,
  interleaved,
  type Measurement,
  median,
  ratioOf,
  runToEnd,
  startAndInitialize,
} from "./support.ts";

const HERD = 16;

export async function benchStart(bench: Bench): Promise<Measurement[]> {
  const root = await seedProject(bench, { tasks: 10_000, ready: 1600 });
  const lines = [bench.floorServer, "lines"];
  for (let warm = 0; warm < 2; warm += 1) await startAndInitialize(bench, bench.server, root);
  const single = await interleaved(15, {
    ours: () => startAndInitialize(bench, bench.server, root),
    bare: () => runToEnd(bench, ["-e", "0"]),
  });
  const herd = (args: readonly string[]) => async () => {
    const times = await Promise.all(Array.from({ length: HERD }, () => startAndInitialize(bench, args, root)));
    return Math.max(...times);
  };
  const many = await interleaved(5, { ours: herd(bench.server), bare: herd(lines) });
  return [
    {
      name: "start to initialize reply, 10,000 tasks",
      ours: inMs(median(single.ours)),
      floor: `${inMs(median(single.bare))} node -e 0`,
      ratio: ratioOf(single.ours, single.bare),
      budget: 2.8,
    },
    {
      name: `${HERD} starts at once, all answered`,
      ours: inMs(median(many.ours)),
      floor: `${inMs(median(many.bare))} line servers`,
      ratio: ratioOf(many.ours, many.bare),
      budget: 3,
    },
  ];
}
