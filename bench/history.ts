import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { deserialize, serialize } from "node:v8";
import type { BuildOutput } from "../src/build/types.ts";
import { createMachine } from "../src/cli/machine.ts";
import { utf8 } from "../src/common/bytes.ts";
import { ProgramSymbols } from "../src/debuginfo/symbolizer.ts";
import type { History } from "../src/machine/history.ts";
import type { Machine } from "../src/machine/machine.ts";
import { ConsoleText } from "../src/session/consoleText.ts";
import { build, catalog, closeToolchains } from "../test/support/lab.ts";
import { Random } from "../test/support/random.ts";

// The load of `history.mjs`.

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		build: { type: "boolean", default: false },
		steps: { type: "string", default: "4000000000" },
		turns: { type: "string", default: "3" },
		harts: { type: "string", default: "1" },
		only: { type: "string", default: "cost,back,search,who" },
	},
});
const image = join(positionals[0] ?? ".", "image");
const harts = Number(values.harts);
const most = Number(values.steps) || Number.POSITIVE_INFINITY;
const command = "usertests -q\n";
/** Instructions of one turn. */
const piece = 50_000_000;

const cpuMs = () => {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1000;
};
const timed = (work: () => void): number => {
	const start = cpuMs();
	work();
	return cpuMs() - start;
};
const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);
const median = (list: readonly number[]) => sorted(list)[list.length >> 1] ?? Number.NaN;
const p95 = (list: readonly number[]) => sorted(list)[Math.floor(list.length * 0.95)] ?? Number.NaN;
const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

interface Subject {
	readonly machine: Machine;
	readonly text: ConsoleText;
	/** Steps at which `usertests` was typed. */
	readonly begin: number;
	cpu: number;
	hits: number;
	over: boolean;
}

async function atPrompt(output: BuildOutput, prepare: (subject: Subject) => void = () => {}): Promise<Subject> {
	const { machine } = await createMachine(output, { harts, translator: true });
	const text = new ConsoleText();
	machine.console.onData((bytes) => text.add(bytes));
	while (!text.atPrompt) machine.run(1_000_000);
	text.forget();
	const subject = { machine, text, begin: machine.instret, cpu: 0, hits: 0, over: false };
	prepare(subject);
	machine.console.write(utf8(command));
	return subject;
}

/** One turn of the subject; what a hit of a breakpoint costs besides is the caller's. */
function turn(subject: Subject): void {
	const { machine, text, begin } = subject;
	const start = cpuMs();
	const until = Math.min(machine.instret + piece, begin + most);
	while (machine.instret < until) if (machine.run(until - machine.instret).kind === "breakpoint") subject.hits++;
	subject.cpu += cpuMs() - start;
	subject.over = machine.instret >= begin + most || /ALL TESTS PASSED[\s\S]*\$ $/.test(text.text.slice(-200));
}

const image_ = () => deserialize(readFileSync(image)) as BuildOutput;

async function cost(output: BuildOutput, symbols: ProgramSymbols): Promise<void> {
	const at = (name: string) => BigInt(symbols.symbol(name) as number);
	const modes: [string, (subject: Subject) => void][] = [
		["nothing", () => {}],
		["a breakpoint that is never hit, on `panic`", ({ machine }) => void machine.addBreakpoint(at("panic"))],
		["a history", ({ machine }) => void machine.keepHistory()],
	];
	const results = new Map<string, number[]>();
	const hashes = new Set<string>();
	let usage = "";
	let steps = 0;
	for (let i = 0; i < Number(values.turns); i++) {
		const subjects: [string, Subject][] = [];
		for (const [name, prepare] of modes) subjects.push([name, await atPrompt(output, prepare)]);
		// Who comes first in a round changes.
		for (let round = 0; subjects.some(([, { over }]) => !over); round++)
			for (let k = 0; k < subjects.length; k++) {
				const subject = (subjects[(k + round) % subjects.length] as [string, Subject])[1];
				if (!subject.over) turn(subject);
			}
		for (const [name, { cpu, machine, begin }] of subjects) {
			results.set(name, [...(results.get(name) ?? []), cpu]);
			hashes.add(machine.stateHash());
			steps = machine.instret - begin;
			if (!machine.history) continue;
			const { bytes, checkpoints } = machine.history.usage;
			usage = `${checkpoints} checkpoints, ${(bytes / 1e6).toFixed(1)} MB`;
		}
		for (const [, { machine }] of subjects) machine.dispose();
		(globalThis as { gc?(): void }).gc?.();
	}
	const base = median(results.get("nothing") as number[]);
	console.log(
		`${(steps / 1e9).toFixed(2)} thousand million instructions, ${harts} hart(s); state hashes: ${hashes.size}; ${usage}`,
	);
	for (const [name, list] of results) {
		const each = list
			.map((value, i) => `${(100 * (value / (results.get("nothing")?.[i] ?? 1) - 1)).toFixed(1)} %`)
			.join(", ");
		console.log(
			`${name}: median ${ms(median(list))}, ${(100 * (median(list) / base - 1)).toFixed(1)} % (each: ${each})`,
		);
	}
}

async function recorded(output: BuildOutput): Promise<{ machine: Machine; history: History; begin: number }> {
	const subject = await atPrompt(output, ({ machine }) => void machine.keepHistory());
	while (!subject.over) turn(subject);
	const { machine, begin } = subject;
	return { machine, begin, history: machine.keepHistory() };
}

function back({ history }: Awaited<ReturnType<typeof recorded>>): void {
	const random = new Random(1);
	const first: number[] = [];
	const second: number[] = [];
	const seeks: number[] = [];
	const { present, oldest } = history;
	for (let i = 0; i < 60; i++) {
		// From a present: a person's first step back is from where the run stands, anywhere between two checkpoints.
		const steps =
			oldest.steps + Math.floor(((present.steps - oldest.steps) * (0.25 + 0.75 * random.below(1000))) / 1000);
		seeks.push(timed(() => history.seek(Math.min(steps, present.steps))));
		first.push(timed(() => void history.stepBack(random.below(harts))));
		second.push(timed(() => void history.stepBack(random.below(harts))));
		history.toPresent();
	}
	console.log(`to a random moment: median ${ms(median(seeks))}, 95th percentile ${ms(p95(seeks))}`);
	console.log(`step back there: median ${ms(median(first))}, p95 ${ms(p95(first))}`);
	console.log(`the next step back: median ${ms(median(second))}, p95 ${ms(p95(second))}`);
}

/** The first step back of a run that has stopped somewhere: from the present, with nothing prepared. */
async function fromPresent(output: BuildOutput): Promise<void> {
	const random = new Random(2);
	const first: number[] = [];
	const second: number[] = [];
	const subject = await atPrompt(output, ({ machine }) => void machine.keepHistory());
	const { machine, begin } = subject;
	machine.run(1_000_000_000);
	for (let i = 0; i < 40 && machine.instret < begin + most; i++) {
		machine.run(1 + random.below(75_000_000));
		const history = machine.keepHistory();
		first.push(timed(() => void history.stepBack(random.below(harts))));
		second.push(timed(() => void history.stepBack(random.below(harts))));
		history.toPresent();
	}
	machine.dispose();
	console.log(
		`step back from the present, after 1,000 million: median ${ms(median(first))}, p95 ${ms(p95(first))}, longest ${ms(Math.max(...first))}`,
	);
	console.log(`the next: median ${ms(median(second))}, p95 ${ms(p95(second))}, longest ${ms(Math.max(...second))}`);
}

function search({ machine, history, begin }: Awaited<ReturnType<typeof recorded>>, symbols: ProgramSymbols): void {
	const length = (machine.instret - begin) / 1e9;
	// A page that never ran; never; at the beginning only; now and then; all the time.
	for (const name of ["nowhere", "panic", "consoleintr", "sys_link", "sys_fork", "kalloc"]) {
		const point = machine.addBreakpoint(BigInt(symbols.symbol(name) ?? 0x3f_f000));
		for (let i = 0; i < Number(values.turns); i++) {
			let found: object | undefined;
			const took = timed(() => {
				found = history.backTo();
			});
			const passed = (history.present.steps - (found ? machine.instret : history.oldest.steps)) / 1e9;
			console.log(
				`backwards to ${name}: ${ms(took)}, ${(took / passed / 1000).toFixed(3)} s for 1,000 million (${found ? "found" : "none"}, ${passed.toFixed(2)} G)`,
			);
			history.toPresent();
		}
		point.dispose();
	}
	const forwards: number[] = [];
	for (let i = 0; i < Number(values.turns); i++) {
		history.seek(begin);
		forwards.push(
			timed(() => {
				while (machine.run(1_000_000_000).kind !== "present");
			}),
		);
	}
	console.log(
		`forwards over the same: ${ms(median(forwards))}, ${(median(forwards) / length / 1000).toFixed(3)} s for 1,000 million`,
	);
}

function who({ history }: Awaited<ReturnType<typeof recorded>>, symbols: ProgramSymbols): void {
	const times: number[] = [];
	for (const name of [
		"kmem",
		"ticks",
		"proc",
		"initproc",
		"nextpid",
		"cpus",
		"bcache",
		"ftable",
		"itable",
		"log",
		"disk",
		"cons",
	]) {
		const address = symbols.symbol(name);
		if (address === undefined) continue;
		for (const offset of [0, 8, 24]) {
			let found = "never";
			const took = timed(() => {
				const write = history.lastWrite(BigInt(address + offset), 8);
				if (write) found = `${((history.present.steps - write.position.steps) / 1e6).toFixed(1)} M ago`;
			});
			history.toPresent();
			times.push(took);
			console.log(`  ${name}+${offset}: ${ms(took)} (${found})`);
		}
	}
	console.log(`who wrote: median ${ms(median(times))}, p95 ${ms(p95(times))}, longest ${ms(Math.max(...times))}`);
}

if (values.build) {
	writeFileSync(image, serialize(await build(await catalog.workspace(undefined))));
	await closeToolchains();
} else {
	const output = image_();
	const symbols = new ProgramSymbols("kernel", output.kernel);
	const wants = (part: string) => values.only.split(",").includes(part);
	if (wants("cost")) await cost(output, symbols);
	if (wants("present")) await fromPresent(output);
	if (wants("back") || wants("search") || wants("who")) {
		const lived = await recorded(output);
		if (wants("back")) back(lived);
		if (wants("search")) search(lived, symbols);
		if (wants("who")) who(lived, symbols);
	}
}
process.exit(0);
