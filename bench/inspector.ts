import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { Worker } from "node:worker_threads";
import type { BuildOutput } from "../src/build/types.ts";
import { breathe, createMachine, observe } from "../src/cli/machine.ts";
import type { LabManifest } from "../src/lab/manifest.ts";
import type { EngineParts } from "../src/worker/engine.ts";
import { LiveMachine } from "../src/worker/liveMachine.ts";
import { build, catalog, closeToolchains } from "../test/support/lab.ts";

// The load of `inspector.mjs`: a command in the terminal's machine, while a thread plays the page. All turns are in one process, so that
// what V8 learns serves each mode alike.

const [folder = ".", turns = "3", hartsText = "3", command = "usertests -q"] = process.argv.slice(2);
const image = join(folder, "image");
const lab = "hw5-anonymous-mmap";
const harts = Number(hartsText);
const modes = ["none", "closed", "open"] as const;
type Mode = (typeof modes)[number];

/** Of this thread alone: neither V8's compiler threads nor the page. */
function threadSeconds(): number {
	const fields = readFileSync(`/proc/self/task/${process.pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
	return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function once(output: BuildOutput, manifest: LabManifest, mode: Mode) {
	const { machine } = await createMachine(output, { harts, translator: true });
	const page = new Worker(
		"const { parentPort } = require('node:worker_threads'); parentPort.on('message', () => parentPort.postMessage(0));",
		{ eval: true },
	);
	let updates = 0;
	let updateMs = 0;
	let mostMs = 0;
	let began = 0;
	const parts = {
		emit: (kind: string, event: unknown) => {
			if (kind !== "model") return;
			page.postMessage(event);
			const took = performance.now() - began;
			updateMs += took;
			// The first is the whole model, when the page opens.
			if (updates > 0) mostMs = Math.max(mostMs, took);
			updates++;
		},
		breathe,
		now: () => performance.now(),
	} as unknown as EngineParts;
	const observer = mode === "none" ? undefined : observe(machine, output, manifest);
	if (observer) {
		const open = observer.live.bind(observer);
		observer.live = () => {
			const models = open();
			const next = models.next.bind(models);
			models.next = () => {
				began = performance.now();
				return next();
			};
			return models;
		};
	}
	const live = new LiveMachine(machine, observer, parts, { harts, seed: 0 });
	page.on("message", () => live.drawn());
	const never = new AbortController().signal;
	await live.drive(never, (shell) => shell.waitForPrompt(20_000_000_000));
	if (mode === "open") live.watch(true);
	const [cpu, wall, instret] = [threadSeconds(), performance.now(), machine.instret];
	const { end, output: said } = await live.drive(never, (shell) => shell.run(command, 2_000_000_000_000));
	if (end.kind !== "prompt" || said.includes("FAILED")) throw new Error(`The load ended with ${end.kind}`);
	const result = {
		cpu: threadSeconds() - cpu,
		wall: (performance.now() - wall) / 1000,
		instructions: machine.instret - instret,
		updates,
		updateMs: updates > 0 ? updateMs / updates : 0,
		mostMs,
	};
	live.dispose();
	await page.terminate();
	(globalThis as { gc?: () => void }).gc?.();
	return result;
}

if (turns === "build") {
	const output = await build(await catalog.workspace(lab, "3b"));
	writeFileSync(image, serialize({ output, manifest: await catalog.manifest(lab) }));
	await closeToolchains();
	process.exit();
}

const { output, manifest } = deserialize(readFileSync(image)) as { output: BuildOutput; manifest: LabManifest };
const results: Record<Mode, Awaited<ReturnType<typeof once>>[]> = { none: [], closed: [], open: [] };
for (let turn = -1; turn < Number(turns); turn++) {
	// Each turn in another order, so that what the host does besides hits all alike. The first only warms up.
	for (const mode of turn % 2 === 0 ? modes : modes.toReversed()) {
		const result = await once(output, manifest, mode);
		console.error(`${turn < 0 ? "warm-up, " : ""}${mode}: ${JSON.stringify(result)}`);
		if (turn >= 0) results[mode].push(result);
	}
}
const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1] as number;
console.log(
	"| inspector | CPU s | more than nobody | wall s | updates | ms of an update | the longest |\n| --- | --: | --: | --: | --: | --: | --: |",
);
for (const mode of modes) {
	const of = (field: keyof (typeof results)[Mode][number]) => median(results[mode].map((result) => result[field]));
	// Of each turn by itself: what slows the computer for minutes slows both.
	const more = median(results[mode].map(({ cpu }, turn) => (cpu / (results.none[turn]?.cpu ?? 0) - 1) * 100));
	const update =
		mode === "open" ? `${of("updates")} | ${of("updateMs").toFixed(1)} | ${of("mostMs").toFixed(1)}` : " | | ";
	const ratio = mode === "none" ? "" : `${more.toFixed(1)} %`;
	console.log(`| ${mode} | ${of("cpu").toFixed(2)} | ${ratio} | ${of("wall").toFixed(1)} | ${update} |`);
}
process.exit();
