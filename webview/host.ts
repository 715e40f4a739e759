import type { FromInspector, InspectorQuestions, ToInspector } from "../src/protocol/inspector.ts";
import { isToInspector } from "../src/protocol/inspectorMessages.ts";

/** What survives a reload of the page. */
export interface PageState {
	readonly root?: string;
	readonly page?: { readonly pid: number; readonly va: number };
	readonly shown?: readonly number[];
	readonly filter?: string;
}

interface VsCodeApi {
	postMessage(message: FromInspector): void;
	getState(): PageState | undefined;
	setState(state: PageState): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

type Kind = keyof InspectorQuestions;
type Waiting = { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void };

/** The page's one line to the extension. Every question is answered or rejected; nothing waits for ever. */
export class Host {
	private readonly api = acquireVsCodeApi();
	private readonly pending = new Map<number, Waiting>();
	private nextId = 1;

	constructor(private readonly receive: (message: Exclude<ToInspector, { type: "answer" }>) => void) {
		window.addEventListener("message", (event: MessageEvent<unknown>) => {
			const message = event.data;
			if (!isToInspector(message)) return;
			if (message.type !== "answer") {
				this.receive(message);
				return;
			}
			const waiting = this.pending.get(message.id);
			this.pending.delete(message.id);
			if (message.error !== undefined) waiting?.reject(new Error(message.error));
			else waiting?.resolve(message.value as never);
		});
	}

	send(message: Exclude<FromInspector, { id: number }>): void {
		this.api.postMessage(message);
	}

	ask<K extends Kind>(type: K, question: InspectorQuestions[K]["question"]): Promise<InspectorQuestions[K]["answer"]> {
		const id = this.nextId++;
		return new Promise((resolve, reject) => {
			this.pending.set(id, { resolve, reject });
			this.api.postMessage({ ...question, type, id } as FromInspector);
		});
	}

	get state(): PageState {
		return this.api.getState() ?? {};
	}

	save(change: PageState): void {
		this.api.setState({ ...this.state, ...change });
	}
}
