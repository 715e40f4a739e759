import type { ActivityModel } from "./activity.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { MachineState } from "./engine.ts";
import type { LiveUpdate, WriterModel } from "./history.ts";
import type { KernelModel, WalkModel } from "./kernelModel.ts";
import type { NetworkModel } from "./network.ts";
import type { Verdict } from "./verdict.ts";

/** What the inspector's page and its host in the extension say to each other. Plain data; inspectorMessages.ts checks it on both sides. */

export type MachineAction = "pause" | "resume" | "stepToFault" | "boot" | "toPresent";

/** What the page asks for; each is answered. */
export interface InspectorQuestions {
	/** Sv39 walk through the tables of now, pid 0: the kernel's. */
	walk: { question: { readonly pid: number; readonly address: string }; answer: WalkModel | undefined };
	/** Who last wrote the page-table entry at a physical address between two moments. */
	writer: {
		question: { readonly address: string; readonly after: number; readonly before: number };
		answer: WriterModel | undefined;
	};
	/** Who ran where in a part of the run; undefined: the machine keeps no past. */
	activity: { question: { readonly from: number; readonly to: number }; answer: ActivityModel | undefined };
	/** The network card and its packets; undefined: the machine has none. */
	network: { question: Readonly<Record<never, never>>; answer: NetworkModel | undefined };
	control: { question: { readonly action: MachineAction }; answer: undefined };
}
type Question<K extends keyof InspectorQuestions = keyof InspectorQuestions> = K extends keyof InspectorQuestions
	? { readonly type: K; readonly id: number } & InspectorQuestions[K]["question"]
	: never;

export type FromInspector =
	/** The page is there (first load, or again after it was hidden, or it missed a change) and wants everything. */
	| { readonly type: "ready" }
	/** The last model is on the screen: the next may come. */
	| { readonly type: "drawn" }
	| Question
	| { readonly type: "openSource"; readonly file: string; readonly line: number }
	/** Opens the debugger at a moment of the run. */
	| { readonly type: "debug"; readonly instret: number };

/** The run that the page is about, and what became of it. */
export interface RunInfo {
	/** As typed; absent: nobody ran a program from the editor. */
	readonly command?: string;
	/** Of the lab's test that judged it. */
	readonly title?: string;
	readonly outcome?: Verdict["outcome"];
	/** What it was asked to print, and what it printed. */
	readonly expected?: string;
	readonly actual?: string;
	/** Why it failed, the most telling first. */
	readonly reasons: readonly string[];
	readonly explanations: readonly { readonly text: string; readonly look?: string }[];
	/** Why it went wrong, as far as it is proved. */
	readonly diagnoses: readonly Diagnosis[];
	/** How it ended when not at the prompt: `panic`, `timeout`, `stuck`, … */
	readonly end?: string;
	readonly harts?: number;
	readonly seed?: number;
	/** Guest time that it took. */
	readonly instructions?: number;
}

/** What the page says of a judged run. */
export function runInfoOf(verdict: Verdict): RunInfo {
	const {
		command,
		title,
		outcome,
		expected,
		actual,
		reasons,
		explanations,
		diagnoses,
		end,
		harts,
		seed,
		instructions,
	} = verdict;
	return {
		command,
		title,
		outcome,
		expected,
		actual,
		reasons: reasons.map(({ message }) => message),
		explanations: explanations.map(({ text, look }) => ({ text, ...(look === undefined ? {} : { look }) })),
		...(end === "prompt" ? {} : { end }),
		diagnoses,
		harts,
		seed,
		instructions,
	};
}

export interface HostState {
	readonly machine: MachineState;
	/** There is a debugger that can go to a moment. */
	readonly canDebug: boolean;
	/** The machine remembers enough to say who wrote what. */
	readonly canAskWriter: boolean;
}

export type InspectorAnswer = {
	[K in keyof InspectorQuestions]: InspectorQuestions[K]["answer"];
}[keyof InspectorQuestions];

export type ToInspector =
	/** The whole model after `ready` and after a boot, else what changed; without `update`: there is no machine any more. */
	| { readonly type: "model"; readonly update: LiveUpdate | undefined }
	| { readonly type: "state"; readonly state: HostState }
	| { readonly type: "run"; readonly run: RunInfo | undefined }
	/** The machine stands at this moment of its past, of which the log is told as in EngineEvents; without `model`: in the present. */
	| { readonly type: "past"; readonly model: KernelModel | undefined }
	/** Somebody asked for this part of the page. */
	| { readonly type: "show"; readonly part: "activity" }
	/** To the question with this id; exactly one of value and error. */
	| { readonly type: "answer"; readonly id: number; readonly value?: InspectorAnswer; readonly error?: string };
