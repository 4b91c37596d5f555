/** Names that Go has for the types of fields, as the type table keeps them (scripts/make-table.ts, `goTypes`). */

/** `type=.ServiceType ipFamilies=[].IPFamily` of api.core.v1.ServiceSpec, by field, with whole package paths. */
export function goTypesOf(typeName: string, text: string | undefined): ReadonlyMap<string, string> {
  const ownPackage = typeName.split(".").slice(0, -1).join("/");
  const entries = (text ?? "").split(" ").filter((word) => word !== "");
  return new Map(
    entries.map((entry) => {
      const at = entry.indexOf("=");
      const [, prefix = "", name = ""] = /^((?:\[\]|map\[[^\]]*\])*)(.*)$/.exec(entry.slice(at + 1)) ?? [];
      return [entry.slice(0, at), prefix + (name.startsWith(".") ? ownPackage + name : name)];
    }),
  );
}

/** Without the list or map that a type may be held in. */
export const goElement = (goType: string): string => goType.replace(/^(?:\[\]|map\[[^\]]*\])+/, "");

/** As Go prints it: `[]api/core/v1.IPFamily` is `[]v1.IPFamily`. */
export const shortGoType = (goType: string): string => goType.replace(/[\w.-]+\//g, "");
