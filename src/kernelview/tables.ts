import { visible, visibleLine } from "../common/visible.ts";
import { type Diagnosis, isTold } from "../protocol/diagnosis.ts";
import type {
	FrameLetter,
	KernelModel,
	LogEntry,
	MarkEntry,
	RangeModel,
	SourcePoint,
	SpaceModel,
} from "../protocol/kernelModel.ts";
import { frameWords } from "../protocol/words.ts";

interface TableOptions {
	/** Page-table pages with their entries, too. */
	readonly pageTables?: boolean;
	/** Most lines of the log; the last ones are shown. Default 200. */
	readonly logLines?: number;
	/** Those of the run, whose text the model has: findings that they explain are not told twice. */
	readonly diagnoses?: readonly Diagnosis[];
}

/** A table in plain text: columns as wide as their longest cell, numbers to the right. */
function table(head: readonly string[], quoted: readonly (readonly string[])[]): string {
	if (quoted.length === 0) return "  (none)\n";
	const rows = quoted.map((row) => row.map(visibleLine));
	const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
	const numeric = head.map((_, i) => rows.every((row) => /^-?\d*$/.test(row[i] ?? "")));
	const line = (cells: readonly string[]) =>
		`  ${cells.map((cell, i) => (numeric[i] ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number))).join("  ")}`.trimEnd();
	return `${[head, ...rows].map(line).join("\n")}\n`;
}

const at = (source: SourcePoint | undefined) => (source ? `${source.file}:${source.line}` : "");

/** Frames as runs, the first ones: `32555, 32544-32546, …`. */
function frameText(range: RangeModel): string {
	const shown = range.frames
		.slice(0, 4)
		.map(([first, count]) => (count === 1 ? `${first}` : `${first}-${first + count - 1}`));
	return shown.join(", ") + (range.frames.length > 4 ? ", …" : "");
}

function spaceTables(space: SpaceModel, options: TableOptions): string {
	let text = `\nAddress space of ${space.pid === 0 ? "the kernel" : `pid ${space.pid} (${space.name})`}, page table at ${space.root}\n`;
	if (space.damage) text += `  Damaged: ${space.damage}\n`;
	text += table(
		["from", "to", "pages", "present", "rwxu", "what", "frames"],
		space.ranges.map((range) => [
			range.start,
			range.end,
			String(range.pages),
			String(range.present),
			range.permissions,
			range.label,
			frameText(range),
		]),
	);
	if (space.regions.length > 0) {
		text += "  Regions\n";
		text += table(
			["region", "kept in", "from", "pages", "may", "shared", "family", "refcount", "fields"],
			space.regions.map((region) => [
				region.name,
				region.path,
				region.start,
				String(region.pages),
				region.permissions ?? "",
				region.shared === undefined ? "" : region.shared ? "yes" : "no",
				String(region.family ?? ""),
				String(region.refcount ?? ""),
				Object.entries(region.fields)
					.map(([name, value]) => `${name} ${value}`)
					.join(", "),
			]),
		);
	}
	if (options.pageTables) {
		for (const page of space.tables) {
			text += `  Level ${page.level} table at ${page.address}, for addresses from ${page.start}\n`;
			text += table(
				["index", "count", "entry", "leads to", "vrwxugad"],
				page.entries.map((run) => [String(run.index), String(run.count), run.pte, run.address, run.flags]),
			);
		}
	}
	return text;
}

/** `sbrk(4096)`, or `sbrk(4096) × 300`. */
const markText = ({ text, times }: MarkEntry) => (times === undefined ? text : `${text} × ${times}`);

function logRow(entry: LogEntry): string[] {
	const who = `${entry.pid} ${entry.process}`;
	if (entry.type === "mark")
		return [String(entry.instret), who, markText(entry), "", "", entry.result ? `= ${entry.result}` : "", ""];
	const frame = entry.frame === undefined ? "" : ` to frame ${entry.frame}`;
	const kernel = entry.mode === "user" ? "" : " in the kernel";
	return [
		String(entry.instret),
		who,
		`${entry.access} ${entry.address}${kernel}`,
		entry.range ?? "nothing there",
		`${entry.required}/${entry.present}`,
		entry.outcome + frame,
		at(entry.source),
	];
}

/** The whole model as text for a terminal: findings first, then processes, spaces, frames, and the log. */
export function renderTables(model: KernelModel, options: TableOptions = {}): string {
	const parts: string[] = [];
	const notes = (panel: keyof KernelModel["notes"]) =>
		(model.notes[panel] ?? []).map((note) => `  Note: ${note}\n`).join("");
	if (model.diagnosis !== undefined) parts.push(`${model.diagnosis}\n\n`);
	parts.push(`Findings${model.panicked ? " (the kernel panicked)" : ""}\n`);
	const findings = model.findings.filter(({ id }) => !isTold(options.diagnoses ?? [], id));
	if (findings.length === 0)
		parts.push(model.findings.length === 0 ? "  (none)\n" : "  (none but what is told above)\n");
	for (const finding of findings) {
		parts.push(`  ${finding.severity} ${finding.id}: ${finding.sentence}\n`);
		for (const source of finding.evidence.sources) parts.push(`    at ${at(source)}\n`);
	}
	parts.push("\nHarts\n");
	parts.push(
		table(
			["hart", "mode", "pc", "runs", "at"],
			model.harts.map((hart) => [
				String(hart.id),
				hart.mode + (hart.waiting ? ", waiting" : ""),
				hart.pc,
				hart.pid === 0 ? "" : `pid ${hart.pid}`,
				at(hart.source),
			]),
		),
	);
	parts.push("\nProcesses\n", notes("processes"));
	parts.push(
		table(
			["pid", "name", "state", "parent", "size", "on", "page table"],
			model.processes.map((process) => [
				String(process.pid),
				process.name,
				process.state + (process.killed ? ", killed" : ""),
				process.parent === 0 ? "" : String(process.parent),
				String(process.size),
				process.sleepsOn ?? (process.hart === undefined ? "" : `hart ${process.hart}`),
				process.root,
			]),
		),
	);
	const spaceNotes = notes("address-space");
	if (spaceNotes) parts.push("\n", spaceNotes);
	for (const space of model.spaces) parts.push(spaceTables(space, options));
	parts.push("\nFrames\n", notes("frames"));
	parts.push(
		table(
			["frames", "use"],
			(Object.keys(frameWords) as FrameLetter[])
				.filter((letter) => model.frames.counts[letter])
				.map((letter) => [String(model.frames.counts[letter]), `${letter} ${frameWords[letter]}`]),
		),
	);
	const lines = options.logLines ?? 200;
	const hidden = model.logDropped + Math.max(0, model.log.length - lines);
	parts.push(
		`\nFaults and system calls${hidden > 0 ? ` (the last ${lines}; ${hidden} came before)` : ""}\n`,
		notes("faults"),
	);
	parts.push(
		table(
			["instructions", "process", "what", "where", "needs/has", "outcome", "source"],
			model.log.slice(-lines).map(logRow),
		),
	);
	return visible(parts.join(""));
}
