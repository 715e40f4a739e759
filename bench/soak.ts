import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { serialize } from "node:v8";
import { buildImage } from "../src/cli/bench/image.ts";
import { median } from "../src/cli/bench/works.ts";
import { breathe } from "../src/cli/machine.ts";
import { utf8 } from "../src/common/bytes.ts";
import { loadCore } from "../src/env/node/core.ts";
import { observeKernel } from "../src/kernelview/observe.ts";
import { Machine } from "../src/machine/machine.ts";
import { LiveMachine } from "../src/worker/liveMachine.ts";
import type { EngineParts } from "../src/worker/parts.ts";

// The load of `soak.mjs`: one machine, usertests and grind in turns, a sample of memory and code cache every few seconds.

interface Sample {
	readonly seconds: number;
	/** MiB */
	readonly resident: number;
	readonly heap: number;
	readonly external: number;
	/** Of the machine's past; it fills to its limit. */
	readonly history: number;
	readonly instructions: number;
	readonly modules: number;
	readonly drops: number;
	readonly liveRegions: number;
}

const { values } = parseArgs({
	options: {
		seconds: { type: "string", default: "3600" },
		harts: { type: "string", default: "3" },
		every: { type: "string", default: "20" },
		/** Only builds the image into this folder, or only uses it: the compiler's memory must not be in the samples. */
		build: { type: "string" },
		/** The inspector's page is open, and drawn as often as in the editor. */
		watch: { type: "boolean", default: false },
		image: { type: "string" },
	},
});
const [seconds, every] = [Number(values.seconds), Number(values.every)];
const miB = 1024 * 1024;
if (values.build) {
	await buildImage(values.build);
	process.exit();
}
const image = values.image ?? ".";
const samples: Sample[] = [];
const begin = performance.now();
const elapsed = () => (performance.now() - begin) / 1000;
let rounds = 0;

const [kernel, disk] = [await readFile(join(image, "kernel")), await readFile(join(image, "fs.img"))];
const machine = await Machine.create(
	{ kernel, disk, harts: Number(values.harts), jit: "on" },
	{ core: await loadCore() },
);
let text = "";
machine.console.onData((bytes) => {
	text += Buffer.from(bytes).toString("latin1");
});
let last = -every;
const sample = () => {
	if (elapsed() - last < every) return;
	last = elapsed();
	const { rss, heapUsed, external } = process.memoryUsage();
	const { modules = 0, drops = 0, live = 0 } = machine.translation ?? {};
	samples.push({
		seconds: last,
		resident: rss / miB,
		heap: heapUsed / miB,
		external: external / miB,
		history: (machine.history?.usage.bytes ?? 0) / miB,
		instructions: machine.instret,
		modules,
		drops,
		liveRegions: live,
	});
	const now = samples.at(-1) as Sample;
	process.stdout.write(
		`${now.seconds.toFixed(0)} s: ${now.resident.toFixed(0)} MiB resident, heap ${now.heap.toFixed(0)}, history ${now.history.toFixed(0)}, ${(now.instructions / 1e9).toFixed(1)} G instructions, ` +
			`${now.liveRegions} regions live, ${modules} modules compiled, cache dropped ${drops} times\n`,
	);
};
const isOver = () => elapsed() >= seconds;
/** The machine alone, without anything that looks at it. Resolves to what was printed, or undefined when the time is up. */
const alone = async (command?: string) => {
	text = "";
	if (command !== undefined) machine.console.write(utf8(`${command}\n`));
	while (!isOver()) {
		const stop = machine.run(5_000_000);
		if (stop.kind === "halt" || stop.kind === "idle")
			throw new Error(`the machine ended (${stop.kind}):\n${text.slice(-2000)}`);
		sample();
		if (/(^|\n)\$ $/.test(text.slice(-3)) && machine.console.pending === 0) return text;
		if (/panic: .*\n/.test(text.slice(-400))) throw new Error(text.slice(-2000));
		await breathe();
	}
	return undefined;
};

/** As in the editor with its page open: history, observer, and updates that the page draws at once. */
function watched(): typeof alone {
	const over = new AbortController();
	let updates = 0;
	const parts = {
		emit: (kind: string, event: { bytes?: Uint8Array }) => {
			if (kind === "console") live.shown(event.bytes?.length ?? 0);
			if (kind !== "model") return;
			serialize(event);
			updates++;
			void Promise.resolve().then(() => live.drawn());
		},
		breathe: async () => {
			sample();
			if (isOver()) over.abort();
			await breathe();
		},
		now: () => performance.now(),
	} as unknown as EngineParts;
	const observer = observeKernel(machine, { kernel, programs: [] }, undefined, { steps: false });
	const live = new LiveMachine(machine, observer, parts, { harts: Number(values.harts), seed: 0 });
	live.watch(true);
	report = () => `${updates} updates of the page.\n`;
	return async (command) => {
		text = "";
		try {
			await live.drive(over.signal, async (shell) => {
				if (command === undefined) return shell.waitForPrompt(20_000_000_000);
				const { end } = await shell.run(command, Number.MAX_SAFE_INTEGER);
				if (end.kind !== "prompt") throw new Error(`${command} ended with ${end.kind}:\n${text.slice(-2000)}`);
			});
			return text;
		} catch (error) {
			if (isOver()) return undefined;
			throw error;
		}
	};
}
let report = () => "";
const type = values.watch ? watched() : alone;
const passes = async (command: string, expected: RegExp) => {
	const printed = await type(command);
	if (printed !== undefined && !expected.test(printed)) throw new Error(`${command}:\n${printed.slice(-2000)}`);
	return printed !== undefined;
};
await type();
while (await passes("usertests -q", /ALL TESTS PASSED/)) {
	rounds++;
	if (!(await passes(`grind 3000 ${rounds}`, /grind OK/))) break;
}
machine.dispose();

// The first part fills memory, cache and, where there is one, the history; from there on, the first and the last quarter are compared.
const steady = samples.slice(Math.ceil(samples.length / (values.watch ? 2 : 5)));
const quarter = Math.max(1, Math.floor(steady.length / 4));
const of = (list: readonly Sample[], pick: (one: Sample) => number) => median(list.map(pick));
const [early, late] = [steady.slice(0, quarter), steady.slice(-quarter)];
const growth = of(late, (one) => one.resident) - of(early, (one) => one.resident);
const peak = Math.max(...samples.map((one) => one.resident));
process.stdout.write(
	`\n${report()}${rounds} rounds of usertests and grind in ${elapsed().toFixed(0)} s, ${((samples.at(-1)?.instructions ?? 0) / 1e9).toFixed(0)} G instructions.\n` +
		`Resident: ${of(early, (one) => one.resident).toFixed(0)} MiB early, ${of(late, (one) => one.resident).toFixed(0)} MiB late (growth ${growth.toFixed(0)} MiB), peak ${peak.toFixed(0)} MiB.\n` +
		`Live regions: ${of(early, (one) => one.liveRegions)} early, ${of(late, (one) => one.liveRegions)} late, at most ${Math.max(...samples.map((one) => one.liveRegions))}.\n`,
);
/** What the collector leaves lying at one moment and not at another. */
const tolerance = 40;
process.exitCode = growth > tolerance ? 1 : 0;
