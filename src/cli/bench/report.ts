import type { Instructions } from "../../machine/types.ts";
import { median, type Run, type SessionResult, type Times, type Work } from "./works.ts";

export type Side = "on" | "off" | "qemu";

/** Everything that was measured. */
export interface Measured {
	readonly qemu: string | undefined;
	readonly repeats: number;
	readonly machine: string;
	readonly works: readonly Work[];
	/** Sessions by `<side> <harts>`. */
	readonly sessions: ReadonlyMap<string, readonly SessionResult[]>;
	/** Seconds by the work's name. */
	readonly native: ReadonlyMap<string, readonly number[]>;
}

interface Cell extends Times {
	readonly instructions: Instructions | undefined;
}

const miB = 1024 * 1024;

/** The Markdown table, with what belongs to it below. */
export function report(measured: Measured): string {
	const rows = [
		[
			"work",
			"harts",
			"ours",
			"translator off",
			"QEMU",
			"ours ÷ QEMU",
			"CPU, ours ÷ QEMU",
			"off ÷ QEMU",
			"MIPS",
			"MIPS, off",
			"native ÷ ours",
		],
		["---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:"],
		...bootRows(measured),
		...workRows(measured),
	];
	return `${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n\n${notes(measured).join("\n")}\n`;
}

export function sessionKey(side: Side, harts: number): string {
	return `${side} ${harts}`;
}

function hartsOf({ sessions }: Measured): number[] {
	return [...new Set([...sessions.keys()].map((key) => Number(key.split(" ")[1])))].sort((a, b) => a - b);
}

function bootRows(measured: Measured): string[][] {
	const kinds = [
		["boot to prompt, from the process's start", (session: SessionResult) => session.bootProcess],
		["boot to prompt, in a running worker", (session: SessionResult) => session.boot ?? session.bootProcess],
	] as const;
	return kinds.flatMap(([name, pick]) =>
		hartsOf(measured).map((harts) => {
			const seconds = (side: Side) => cell((measured.sessions.get(sessionKey(side, harts)) ?? []).map(pick));
			return row(name, harts, seconds("on"), seconds("off"), seconds("qemu"));
		}),
	);
}

function workRows(measured: Measured): string[][] {
	const measuredHarts = hartsOf(measured);
	return measured.works.flatMap((work) =>
		work.harts
			.filter((harts) => measuredHarts.includes(harts))
			.flatMap((harts) =>
				(work.cold ? [0, 1] : [1]).map((turn) => {
					const of = (side: Side) => cellOf(measured, side, harts, work.name, turn);
					const name = work.cold ? `${work.name}${turn === 0 ? ", first time" : ", again"}` : work.name;
					return row(name, harts, of("on"), of("off"), of("qemu"), median(measured.native.get(work.name) ?? []));
				}),
			),
	);
}

function cell(times: readonly Times[], instructions?: Instructions): Cell | undefined {
	if (times.length === 0) return undefined;
	const [seconds, cpu] = [median(times.map((one) => one.seconds)), median(times.map((one) => one.cpu))];
	return { seconds, cpu, instructions };
}

function runsOf(measured: Measured, side: Side, harts: number, name: string, turn: number): Run[] {
	const sessions = measured.sessions.get(sessionKey(side, harts)) ?? [];
	return sessions.flatMap(({ runs }) => runs.filter((run) => run.name === name && run.turn === turn));
}

function cellOf(measured: Measured, side: Side, harts: number, name: string, turn: number): Cell | undefined {
	const runs = runsOf(measured, side, harts, name, turn);
	return cell(runs, runs[0]?.instructions);
}

function row(name: string, harts: number, on?: Cell, off?: Cell, qemu?: Cell, native = Number.NaN): string[] {
	const mips = (of: Cell | undefined) =>
		of?.instructions === undefined ? "" : (of.instructions / of.cpu / 1e6).toFixed(0);
	return [
		name,
		String(harts),
		time(on),
		time(off),
		time(qemu),
		ratio(on, qemu),
		on && qemu && qemu.cpu > 0 ? (on.cpu / qemu.cpu).toFixed(2) : "",
		ratio(off, qemu),
		mips(on),
		mips(off),
		on && !Number.isNaN(native) ? (native / on.seconds).toFixed(2) : "",
	];
}

function time(of: Cell | undefined): string {
	if (!of) return "";
	return of.seconds < 1 ? `${(of.seconds * 1000).toFixed(0)} ms` : `${of.seconds.toFixed(2)} s`;
}

function ratio(ours: Cell | undefined, theirs: Cell | undefined): string {
	return ours && theirs ? (ours.seconds / theirs.seconds).toFixed(2) : "";
}

function geometricMean(values: readonly number[]): number {
	return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function notes(measured: Measured): string[] {
	const { qemu, repeats, machine, works, sessions } = measured;
	const lines = [
		"- MIPS are guest instructions in a CPU second (million); CPU seconds of ours have the host's background compiler in them.",
		`- Medians of ${repeats} sessions a side, taken in turns. ${machine}, ${qemu ?? "no QEMU installed"}.`,
	];
	const compute = works.filter((work) => work.group === "compute");
	for (const [side, name] of [
		["on", "ours"],
		["off", "translator off"],
	] as const) {
		for (const [clock, how] of [
			["seconds", "wall"],
			["cpu", "CPU"],
		] as const) {
			const ratios = compute.flatMap((work) => {
				const ours = cellOf(measured, side, 1, work.name, 1)?.[clock];
				const theirs = cellOf(measured, "qemu", 1, work.name, 1)?.[clock];
				return ours !== undefined && theirs ? [ours / theirs] : [];
			});
			if (ratios.length === 0) continue;
			const [mean, worst] = [geometricMean(ratios).toFixed(2), Math.max(...ratios).toFixed(2)];
			lines.push(`- Compute programs, ${name} ÷ QEMU, ${how}: geometric mean ${mean}, greatest ${worst}.`);
		}
	}
	for (const harts of hartsOf(measured)) {
		const list = (sessions.get(sessionKey("on", harts)) ?? []).flatMap(({ translation }) => translation ?? []);
		if (list.length === 0) continue;
		const of = (pick: (one: (typeof list)[number]) => number) => median(list.map(pick));
		const kib = (of(({ bytes }) => bytes) / 1024).toFixed(0);
		lines.push(
			`- Translator, ${harts} harts: ${of(({ regions }) => regions)} regions in ${of(({ modules }) => modules)} modules, ` +
				`${kib} KiB of WebAssembly; waited ${of(({ compileMs }) => compileMs).toFixed(0)} ms for the host's compiler.`,
		);
	}
	for (const [key, list] of sessions) {
		const [side, harts] = key.split(" ");
		const resident = median(list.flatMap((session) => session.resident ?? []));
		if (Number.isNaN(resident)) continue;
		const who = side === "qemu" ? "QEMU" : side === "on" ? "ours" : "ours, translator off";
		const touched = median(list.flatMap((session) => session.guestTouched ?? []));
		const beyond = Number.isNaN(touched) ? "" : `, ${size(resident - touched)} beyond the guest RAM in use`;
		lines.push(`- Memory after the works, ${who}, ${harts} harts: ${size(resident)} resident${beyond}.`);
	}
	for (const [side, name] of [
		["on", "ours"],
		["off", "translator off"],
	] as const) {
		const all = (sessions.get(sessionKey(side, 1)) ?? []).flatMap((session) => session.restore ?? []);
		const first = all[0];
		if (!first) continue;
		lines.push(
			`- Snapshot restore, ${name}: ${median(all.map(({ ms }) => ms)).toFixed(2)} ms (${first.restoredPages} of ${first.allPages} pages changed).`,
		);
	}
	return lines;
}

const size = (bytes: number) => `${(bytes / miB).toFixed(0)} MiB`;
