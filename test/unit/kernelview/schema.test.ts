import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import { parseRegions } from "../../../src/kernelview/observe.ts";
import { findingIds } from "../../../src/protocol/kernelModel.ts";
import { hw5Regions, programs, qemu, recorded, stillMachine } from "./recorded.ts";

interface Schema {
	readonly type?: string;
	readonly $ref?: string;
	readonly properties?: Readonly<Record<string, Schema>>;
	readonly required?: readonly string[];
	readonly additionalProperties?: boolean | Schema;
	readonly items?: Schema;
	readonly enum?: readonly unknown[];
	readonly const?: unknown;
	readonly pattern?: string;
	readonly anyOf?: readonly Schema[];
	readonly $defs?: Readonly<Record<string, Schema>>;
}

const file = join(import.meta.dirname, "../../../docs/memory-report.schema.json");
const schema = JSON.parse(readFileSync(file, "utf8")) as Schema;

/** The keywords that the schema uses; paths of what does not agree. */
function complaints(value: unknown, by: Schema, path: string): string[] {
	if (by.$ref) return complaints(value, schema.$defs?.[by.$ref.replace("#/$defs/", "")] as Schema, path);
	if (by.anyOf) return by.anyOf.some((one) => complaints(value, one, path).length === 0) ? [] : [path];
	if (by.enum && !by.enum.includes(value)) return [`${path} is ${String(value)}`];
	if ("const" in by && by.const !== value) return [path];
	if (by.pattern && !new RegExp(by.pattern).test(String(value))) return [`${path} is ${String(value)}`];
	if (by.type === "array")
		return Array.isArray(value)
			? value.flatMap((item, i) => complaints(item, by.items ?? {}, `${path}[${i}]`))
			: [path];
	if (by.type === "integer") return Number.isInteger(value) ? [] : [path];
	if (by.type === "object") {
		if (typeof value !== "object" || value === null) return [path];
		const missing = (by.required ?? []).filter((name) => !(name in value)).map((name) => `${path}.${name} is missing`);
		const inside = Object.entries(value).flatMap(([name, item]) => {
			const known = by.properties?.[name] ?? by.additionalProperties;
			if (typeof known !== "object") return known === false ? [`${path}.${name} is not described`] : [];
			return complaints(item, known, `${path}.${name}`);
		});
		return [...missing, ...inside];
	}
	return by.type === undefined || typeof value === by.type ? [] : [path];
}

test("a report is what its schema says", () => {
	const machine = stillMachine(recorded("ram"), qemu.registers);
	const model = new KernelView(machine, recorded("kernel-3b"), programs, { regions: hw5Regions }).model();
	expect(complaints(JSON.parse(JSON.stringify(model)), schema, "report")).toEqual([]);
	expect(complaints({ ...model, format: 2 }, schema, "report")).toEqual(["report.format"]);
});

test("the schema knows every finding", () => {
	expect(schema.$defs?.finding?.properties?.id?.enum).toEqual([...findingIds]);
});

test("a wrong description of regions names its field", () => {
	expect(parseRegions(hw5Regions)).toEqual(hw5Regions);
	expect(() => parseRegions([{ name: "x", path: "a b", fields: {} }])).toThrow("regions.0.path");
});
