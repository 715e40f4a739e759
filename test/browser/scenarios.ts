import { utf8 } from "../../src/common/bytes.ts";
import type { Event } from "../../src/common/event.ts";
import { fromPowerOn, parseScheduleText } from "../../src/explore/scheduleText.ts";
import { Machine } from "../../src/machine/machine.ts";
import type { EngineEvents, EngineRequests } from "../../src/protocol/engine.ts";
import type { RpcClient } from "../../src/protocol/rpc.ts";

// What is done twice, in Node and in a browser's worker, with results that must be the same. No platform's own API in here.

export interface MachineJob {
	readonly core: Uint8Array;
	readonly kernel: Uint8Array;
	readonly disk: Uint8Array;
	readonly harts: number;
	readonly jit: "off" | "on" | "eager";
}

export interface MachineResult {
	readonly text: string;
	/** Instructions and state hash at each look. */
	readonly looks: readonly (readonly [number, string])[];
	/** Regions that were translated; differs between hosts in nothing either. */
	readonly regions: number;
}

export type Files = readonly (readonly [path: string, bytes: Uint8Array])[];

const look = 50_000_003;
const promptAtEnd = /(?:^|\n)\$ $/;

/** Of the explorer's: harts that stop and timer events that come early. */
const scheduleOf = (harts: number) => `500/8:0@1000+3,0@2500t${harts > 1 ? ",1@400+16,2@300t" : ""}`;

/** Boots, types a line, the second time by a schedule's text, and looks at the state now and then. */
export async function runMachine({ core, kernel, disk, harts, jit }: MachineJob): Promise<MachineResult> {
	const module = await WebAssembly.compile(core as BufferSource);
	const machine = await Machine.create({ kernel, disk, harts, jit }, { core: module });
	let text = "";
	machine.console.onData((bytes) => {
		text += new TextDecoder().decode(bytes);
	});
	const looks: [number, string][] = [];
	const toPrompt = () => {
		for (let n = 0; n < 400; n++) {
			machine.run(look);
			looks.push([machine.instret, machine.stateHash()]);
			if (promptAtEnd.test(text) && machine.console.pending === 0) return;
		}
		throw new Error(`no prompt:\n${text}`);
	};
	toPrompt();
	machine.console.write(utf8("echo hi\n"));
	toPrompt();
	const steps = machine.harts.map((hart) => Number(hart.steps));
	machine.setSchedule(fromPowerOn(parseScheduleText(scheduleOf(harts)), steps));
	machine.console.write(utf8("echo hi\n"));
	toPrompt();
	const regions = machine.translation?.regions ?? 0;
	machine.dispose();
	return { text, looks, regions };
}

/** An engine of either platform, as the extension host sees it. */
export interface EngineClient {
	readonly request: RpcClient<EngineRequests, EngineEvents>["request"];
	readonly on: RpcClient<EngineRequests, EngineEvents>["on"];
	readonly onCrash: Event<string>;
	dispose(): void;
}

export interface EngineResult {
	readonly built: boolean;
	readonly compiled: number;
	readonly console: string;
	readonly ends: readonly string[];
	/** Test, outcome and the exact number of instructions that it took. */
	readonly verdicts: readonly (readonly [string, string, number])[];
}

/** The way of a student: files in, build, boot, a command, a test of the lab. */
export async function runEngine(engine: EngineClient, files: Files, test: string): Promise<EngineResult> {
	let text = "";
	const verdicts: [string, string, number][] = [];
	engine.on("console", ({ bytes }) => {
		text += new TextDecoder().decode(bytes);
		void engine.request("consoleShown", { bytes: bytes.length });
	});
	engine.on("verdict", (verdict) => verdicts.push([verdict.test, verdict.outcome, verdict.instructions]));
	const crashed = new Promise<never>((_, reject) => engine.onCrash((why) => reject(new Error(why))));
	const work = async (): Promise<EngineResult> => {
		await engine.request("sync", { changed: files.map(([path, bytes]) => ({ path, bytes })), removed: [] });
		const { ok, compiled } = await engine.request("build", { toolchain: "bundled" });
		await engine.request("boot", { harts: 2, translator: true });
		const hello = await engine.request("runCommand", { command: "echo hi" });
		await engine.request("runTests", { tests: [test], seeds: [0], machine: { harts: 2, translator: true } });
		return { built: ok, compiled, console: text, ends: [hello.end], verdicts };
	};
	try {
		return await Promise.race([work(), crashed]);
	} finally {
		engine.dispose();
	}
}

/** A recorded run, done again by the engine: whether it ended in the recorded state, and after how many instructions. */
export async function runRecording(
	engine: EngineClient,
	file: Uint8Array,
): Promise<readonly [boolean, number, string]> {
	const crashed = new Promise<never>((_, reject) => engine.onCrash((why) => reject(new Error(why))));
	try {
		const work = engine.request("openRun", { bytes: file });
		const { same, instructions, title } = await Promise.race([work, crashed]);
		return [same, instructions, title];
	} finally {
		engine.dispose();
	}
}
