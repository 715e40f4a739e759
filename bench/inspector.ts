import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { deserialize, serialize } from "node:v8";
import type { BuildOutput } from "../src/build/types.ts";
import { createMachine, observe } from "../src/cli/machine.ts";
import type { LabManifest } from "../src/lab/manifest.ts";
import { LiveMachine } from "../src/worker/liveMachine.ts";
import type { EngineParts } from "../src/worker/parts.ts";
import { build, catalog, closeToolchains } from "../test/support/lab.ts";

// The load of `inspector.mjs`. Three machines do the same work in one thread, a tenth of a second each in turn, so that what the computer does
// besides slows all alike; each has a clock that stands still while the others run.

const [folder = ".", turns = "3", hartsText = "3", command = "usertests -q"] = process.argv.slice(2);
const image = join(folder, "image");
const lab = "hw5-anonymous-mmap";
const harts = Number(hartsText);
const modes = ["none", "closed", "open"] as const;
type Mode = (typeof modes)[number];
const turnMs = 100;

const cpuMs = () => {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1000;
};

/** Who runs; the others wait for their turn. */
class Turns {
	private readonly waiting: (() => void)[] = [];
	private beganCpu = 0;
	private beganMs = 0;
	private busy = false;

	/** Waits for the turn; ends with what it is called with at the end of the turn: CPU and clock that passed. */
	async take(): Promise<(pass: (cpu: number, ms: number) => void) => void> {
		if (this.busy) await new Promise<void>((resolve) => this.waiting.push(resolve));
		this.busy = true;
		this.beganCpu = cpuMs();
		this.beganMs = performance.now();
		return (pass) => {
			pass(cpuMs() - this.beganCpu, performance.now() - this.beganMs);
			this.busy = false;
			this.waiting.shift()?.();
		};
	}

	get over(): boolean {
		return performance.now() - this.beganMs > turnMs;
	}

	get elapsed(): number {
		return performance.now() - this.beganMs;
	}
}

async function once(turn: Turns, output: BuildOutput, manifest: LabManifest, mode: Mode) {
	const { machine } = await createMachine(output, { harts, translator: true });
	const total = { cpu: 0, ms: 0, updates: 0, updateMs: 0 };
	let [cpu, ms] = [0, 0];
	let end = await turn.take();
	const breathe = async () => {
		if (!turn.over) return;
		end((cpuOfTurn, msOfTurn) => {
			cpu += cpuOfTurn;
			ms += msOfTurn;
		});
		await setImmediate();
		end = await turn.take();
	};
	let began = 0;
	const parts = {
		emit: (kind: string, event: unknown) => {
			if (kind !== "model") return;
			// What a message to the page costs this side of it; the page draws at once.
			serialize(event);
			total.updateMs += cpuMs() - began;
			total.updates++;
			void Promise.resolve().then(() => live.drawn());
		},
		breathe,
		now: () => ms + turn.elapsed,
	} as unknown as EngineParts;
	const observer = mode === "none" ? undefined : observe(machine, output, manifest);
	if (observer) {
		const open = observer.live.bind(observer);
		observer.live = () => {
			const models = open();
			const next = models.next.bind(models);
			models.next = () => {
				began = cpuMs();
				return next();
			};
			return models;
		};
	}
	const live = new LiveMachine(machine, observer, parts, { harts, seed: 0 });
	const never = new AbortController().signal;
	await live.drive(never, (shell) => shell.waitForPrompt(20_000_000_000));
	const pass = () =>
		end((cpuOfTurn, msOfTurn) => {
			cpu += cpuOfTurn;
			ms += msOfTurn;
		});
	// What came before, opening the page included, is not counted.
	if (mode === "open") live.watch(true);
	pass();
	total.updates = 0;
	total.updateMs = 0;
	end = await turn.take();
	const [cpuBefore, msBefore] = [cpu, ms];
	const { end: how, output: said } = await live.drive(never, (shell) => shell.run(command, 2_000_000_000_000));
	if (how.kind !== "prompt" || said.includes("FAILED")) throw new Error(`The load ended with ${how.kind}`);
	pass();
	live.dispose();
	return { cpu: (cpu - cpuBefore) / 1000, wall: (ms - msBefore) / 1000, ...pick(total) };
}

const pick = ({ updates, updateMs }: { updates: number; updateMs: number }) => ({
	updates,
	updateMs: updates > 0 ? updateMs / updates : 0,
});

if (turns === "build") {
	const output = await build(await catalog.workspace(lab, "3b"));
	writeFileSync(image, serialize({ output, manifest: await catalog.manifest(lab) }));
	await closeToolchains();
	process.exit();
}

const { output, manifest } = deserialize(readFileSync(image)) as { output: BuildOutput; manifest: LabManifest };
type Result = Awaited<ReturnType<typeof once>>;
const results: Record<Mode, Result>[] = [];
for (let round = -1; round < Number(turns); round++) {
	const turn = new Turns();
	const order = modes.map((_, i) => modes[(i + round + modes.length) % modes.length] as Mode);
	const made = await Promise.all(order.map((mode) => once(turn, output, manifest, mode)));
	const result = Object.fromEntries(order.map((mode, i) => [mode, made[i]])) as Record<Mode, Result>;
	console.error(`${round < 0 ? "warm-up: " : ""}${JSON.stringify(result)}`);
	if (round >= 0) results.push(result);
	(globalThis as { gc?: () => void }).gc?.();
}
writeFileSync(join(folder, "results.json"), JSON.stringify(results));
process.exit();
