/** What the inspector's page and its host in the extension say to each other. Plain data; the host checks every field it uses. */

export type FromInspector =
	/** The page is there (first load, or again after it was hidden, or it missed a change) and wants everything. */
	| { readonly type: "ready" }
	/** The last model is on the screen: the next may come. */
	| { readonly type: "drawn" }
	| { readonly type: "walk"; readonly id: number; readonly pid: number; readonly address: string }
	/** `moment`: id of one of the model's `moments`, 0: now. */
	| { readonly type: "moment"; readonly id: number; readonly moment: number }
	| {
			readonly type: "control";
			readonly id: number;
			readonly action: "pause" | "resume" | "stepToFault" | "boot";
	  }
	| { readonly type: "openSource"; readonly file: string; readonly line: number };

export type ToInspector =
	/** A whole `KernelModel` (kernelModel.ts) after `ready` and after a boot, else a `KernelDelta` to the one before. */
	| { readonly type: "model"; readonly model: unknown }
	| { readonly type: "state"; readonly state: "none" | "running" | "paused" | "dead" }
	/** To the request with this id; exactly one of value and error. */
	| { readonly type: "answer"; readonly id: number; readonly value?: unknown; readonly error?: string };
