import { buildSchemas } from "../machinery/schema.ts";
import table from "./table.json" with { type: "json" };

/** The type table, read once, and the schemas made of it. */
export { table };
export const schemas = buildSchemas(table);
