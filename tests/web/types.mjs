// Holds a dashboard's JSON against Grafana's published schema types: writes it out as a typed
// constant and lets the TypeScript compiler judge it. Prints what is wrong; exits 1 if anything is.
import { readFileSync, writeFileSync, mkdtempSync, symlinkSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { tmpdir } from "node:os";
import ts from "typescript";

const here = dirname(fileURLToPath(import.meta.url));
const OPTIONS = {
  bargauge: "bargauge/panelcfg/x/types.gen",
  geomap: "geomap/panelcfg/x/types.gen",
  stat: "stat/panelcfg/x/types.gen",
  "state-timeline": "statetimeline/panelcfg/x/types.gen",
  table: "table/panelcfg/x/types.gen",
  timeseries: "timeseries/panelcfg/x/types.gen",
};
// Enums of the schema are names for their strings in JSON.
const prelude = (types) => `
import type * as raw from "@grafana/schema/dist/types/raw/dashboard/x/types.gen";
${types}
type Plain<T> = T extends string ? \`\${T}\` : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
// What the Prometheus data source adds to an annotation stands in no type of the schema.
type Annotation = raw.AnnotationQuery & { expr?: string; step?: string; tagKeys?: string; textFormat?: string; titleFormat?: string; useValueForTime?: boolean };
type Dashboard = Omit<raw.Dashboard, "annotations"> & { annotations?: { list?: Annotation[] } };
`;

const work = mkdtempSync(join(tmpdir(), "ringfence-types-"));
symlinkSync(join(here, "node_modules"), join(work, "node_modules"));
let faults = 0;
for (const file of process.argv.slice(2)) {
  const dashboard = JSON.parse(readFileSync(resolve(file), "utf8"));
  const kinds = [...new Set(dashboard.panels.map((p) => p.type).filter((t) => t !== "row"))];
  const unknown = kinds.filter((k) => !OPTIONS[k]);
  if (unknown.length) { console.log(`${basename(file)}: no types for ${unknown}`); faults += 1; continue; }
  const name = (k) => k.replace(/[^a-z]/g, "");
  const types = kinds.map((k) => `import type { Options as O_${name(k)} } from "@grafana/schema/dist/types/raw/composable/${OPTIONS[k]}";`).join("\n");
  const parts = [`export const dashboard: Plain<Dashboard> = ${JSON.stringify(dashboard, null, 1)};`];
  for (const p of dashboard.panels.filter((p) => p.type !== "row")) {
    parts.push(`export const options_${p.id}: Partial<Plain<O_${name(p.type)}>> = ${JSON.stringify(p.options, null, 1)};`);
  }
  const source = join(work, `${basename(file, ".json")}.ts`);
  writeFileSync(source, prelude(types) + parts.join("\n"));
  const program = ts.createProgram([source], { strict: true, noEmit: true, skipLibCheck: true, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Node10, target: ts.ScriptTarget.ES2022, types: [] });
  for (const d of ts.getPreEmitDiagnostics(program)) {
    faults += 1;
    const at = d.file && d.start !== undefined ? d.file.getLineAndCharacterOfPosition(d.start).line + 1 : 0;
    console.log(`${basename(file)}: line ${at}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`);
  }
}
rmSync(work, { recursive: true });
console.log(faults ? `${faults} faults` : "types hold");
process.exit(faults ? 1 : 0);
