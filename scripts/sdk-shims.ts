/** What the build puts in the place of the SDK's own shims for Node: the same names, with the validator that is small. */
export { default as process } from "node:process";
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from "@modelcontextprotocol/server/validators/cf-worker";
