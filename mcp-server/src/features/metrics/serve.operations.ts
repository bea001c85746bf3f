import * as z from "zod";
import { defineOperation } from "../../kernel/operation.ts";
import { allMetrics } from "./export.store.ts";
import { renderMetrics } from "./prometheus.rules.ts";
import { serveMetrics } from "./serve.ts";

/** Where Prometheus' exporters of telemetry usually are. */
const PORT = 9464;

export const metricsServe = defineOperation({
  name: "metrics_serve",
  description:
    "Serve the metrics for Prometheus to scrape, at http://127.0.0.1:PORT/metrics, until it is interrupted. For this machine alone.",
  details: "The address is told on standard error once it answers, with --json too; with --quiet name a port.",
  kind: "read",
  mcp: "none",
  input: z.strictObject({
    port: z.number().int().min(0).max(65_535).optional().describe(`Default ${PORT}; 0 for a free one.`),
  }),
  output: z.object({ port: z.number(), scrapes: z.number(), failures: z.number(), refusals: z.number() }),
  async run(ctx, { port = PORT }) {
    const interrupt = untilInterrupted();
    try {
      return await serveMetrics({
        port,
        scrape: () => ctx.read(async (each) => renderMetrics(await allMetrics(each))),
        listening: (url) => ctx.tell(`Metrics at ${url}; an interrupt (Ctrl-C) ends it.`),
        stopped: interrupt.happened,
      });
    } finally {
      interrupt.forget();
    }
  },
  render: ({ scrapes, failures }) => `${scrapes} scrapes answered${failures > 0 ? `, ${failures} failed` : ""}.`,
});

function untilInterrupted(): { happened: Promise<void>; forget(): void } {
  const signals = ["SIGINT", "SIGTERM"] as const;
  let stop = () => {};
  const happened = new Promise<void>((resolve) => {
    stop = resolve;
  });
  for (const signal of signals) process.once(signal, stop);
  return {
    happened,
    forget: () => {
      for (const signal of signals) process.removeListener(signal, stop);
    },
  };
}
