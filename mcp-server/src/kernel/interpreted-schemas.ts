import * as z from "zod";

/**
 * zod writes a parser of its own for each schema at its first use. A server uses most of them once or twice, and that
 * was a tenth of its start; a command that reads thousands of rows keeps them. Called before any schema is made.
 */
export function interpretSchemas(): void {
  z.config({ jitless: true });
}
