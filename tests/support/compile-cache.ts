import { join } from "node:path";

/** What tested commands compile once; in a HOME of its own each test would have them begin anew. */
export const compileCache = { NODE_COMPILE_CACHE: join(import.meta.dirname, "../../out/compile-cache") };
