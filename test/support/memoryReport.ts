import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import type { KernelView } from "../../src/kernelview/kernelView.ts";
import type { LabManifest } from "../../src/lab/manifest.ts";
import type { MachineSurface } from "../../src/machine/types.ts";
import type { KernelModel, LogEntry } from "../../src/protocol/kernelModel.ts";
import { budgets } from "../../src/session/budgets.ts";
import { Shell } from "../../src/session/shell.ts";

const commandBudget = 3_000_000_000;
const pageBytes = 4096;

/** Frames by the order in which they appear: their numbers hang on what ran before. */
class FrameNames {
	private readonly names = new Map<number, string>();

	of(frame: number): string {
		let name = this.names.get(frame);
		if (name === undefined) {
			name = `f${this.names.size + 1}`;
			this.names.set(frame, name);
		}
		return name;
	}

	inText(text: string): string {
		return stable(text.replace(/frame (\d+)/g, (_, frame: string) => `frame ${this.of(Number(frame))}`));
	}
}

/**
 * What each program did to memory, as text that stays the same while kernel and compiler only move things about: each fault and call as it
 * ends, under it the regions with the frame of each page where these changed, and the findings. A frame with one name in two processes
 * is shared by them. All programs start from the same booted moment.
 */
export async function memoryReports(
	output: BuildOutput,
	manifest: LabManifest,
	programs: readonly string[],
): Promise<Map<string, string>> {
	const { machine } = await createMachine(output, { harts: 1, translator: true });
	const shell = Shell.on(machine, { breathe });
	const view = observe(machine, output, manifest);
	try {
		const boot = await shell.waitForPrompt(budgets.boot);
		if (boot.kind !== "prompt") throw new Error(`The kernel did not boot: ${boot.kind}`);
		const booted = machine.snapshot();
		const reports = new Map<string, string>();
		for (const program of programs) {
			machine.restore(booted);
			view.begin();
			reports.set(program, await memoryReport(machine, shell, view, program));
		}
		return reports;
	} finally {
		view.dispose();
		shell.dispose();
		machine.dispose();
	}
}

async function memoryReport(machine: MachineSurface, shell: Shell, view: KernelView, program: string): Promise<string> {
	const frames = new FrameNames();
	const lines: string[] = [];
	const told = new Set<number>();
	let regions = "";
	const tell = () => {
		const model = view.model();
		for (const entry of model.log) {
			if (told.has(entry.id) || isOpen(entry)) continue;
			told.add(entry.id);
			lines.push(describeEntry(entry, frames));
		}
		const now = regionLines(view, model, frames);
		if (now.join() !== regions) lines.push(...(now.length === 0 ? ["    no region"] : now));
		regions = now.join();
	};
	const returns = machine.onTrapReturn(({ toMode }) => {
		if (toMode === 0) tell();
	});
	const { end, output: said } = await shell.run(program, commandBudget).finally(() => returns.dispose());
	tell();
	const findings = view
		.findings()
		.flatMap((finding) => [
			`${finding.severity} ${finding.id}: ${frames.inText(finding.sentence)}`,
			...finding.evidence.sources.map(({ file, line }) => stable(`    at ${file}:${line}`)),
		]);
	const sections: [string, readonly string[]][] = [
		["console", said.trimEnd().split("\n")],
		[end.kind === "panic" ? `end: panic: ${end.message}` : `end: ${end.kind}`, []],
		["what happened", lines],
		["findings", findings.length > 0 ? findings : ["none"]],
	];
	return sections
		.flatMap(([title, content]) => [title, ...content.map((line) => `  ${line}`.trimEnd())])
		.join("\n")
		.concat("\n");
}

/** Without what moves when the kernel's sources do: its line numbers, and families that are known by an address. */
function stable(text: string): string {
	return text.replace(/(kernel\/\w+\.[chS]):\d+/g, "$1").replace(/family \d{5,}/g, "family F");
}

/** Its outcome comes later: at the return from the trap, or, for a fault that kills, when the process is gone. */
function isOpen(entry: LogEntry): boolean {
	return entry.type === "fault" ? entry.outcome === "open" : entry.result === undefined && entry.call !== "exit";
}

function describeEntry(entry: LogEntry, frames: FrameNames): string {
	const who = `${entry.pid} ${entry.process}:`;
	if (entry.type === "mark") return `${who} ${entry.text}${entry.result === undefined ? "" : ` = ${entry.result}`}`;
	const frame = entry.frame === undefined ? "" : ` ${frames.of(entry.frame)}`;
	const source = entry.source ? ` at ${entry.source.file}:${entry.source.line}` : "";
	const rights = `needs ${entry.required} has ${entry.present}`;
	return stable(
		`${who} ${entry.access} ${entry.address} in ${entry.range ?? "nothing"}, ${rights}: ${entry.outcome}${frame}${source}`,
	);
}

function regionLines(view: KernelView, model: KernelModel, frames: FrameNames): string[] {
	return model.spaces.flatMap((space) =>
		space.regions.map((region) => {
			const pages = Array.from({ length: Math.min(region.pages, 16) }, (_, page) => {
				const frame = view.walk(space.pid, BigInt(region.start) + BigInt(page * pageBytes))?.frame;
				return frame === undefined ? "-" : frames.of(frame);
			});
			const facts = [
				region.permissions,
				region.shared === undefined ? undefined : region.shared ? "shared" : "private",
				region.family === undefined ? undefined : `family ${region.family}`,
				region.refcount === undefined ? undefined : `refcount ${region.refcount}`,
			].filter((fact) => fact !== undefined);
			return stable(`    pid ${space.pid} ${region.start} ${[region.name, ...facts].join(" ")}: ${pages.join(" ")}`);
		}),
	);
}
