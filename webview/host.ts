import type { FromInspector, ToInspector } from "../src/protocol/inspector.ts";

interface VsCodeApi {
	postMessage(message: FromInspector): void;
	getState(): unknown;
	setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** What survives a reload of the page. */
export interface PageState {
	readonly root?: string;
	readonly panel?: string;
	readonly pid?: number;
	readonly zoom?: number;
}

type Ask =
	| { type: "walk"; pid: number; address: string }
	| { type: "moment"; moment: number }
	| { type: "control"; action: "pause" | "resume" | "stepToFault" | "boot" };

/** The page's one line to the extension. Every question is answered or rejected; nothing waits for ever. */
export class Host {
	private readonly api = acquireVsCodeApi();
	private readonly pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
	private nextId = 1;

	constructor(private readonly receive: (message: Exclude<ToInspector, { type: "answer" }>) => void) {
		window.addEventListener("message", (event: MessageEvent<ToInspector>) => {
			const message = event.data;
			if (message.type !== "answer") {
				this.receive(message);
				return;
			}
			const waiting = this.pending.get(message.id);
			this.pending.delete(message.id);
			if (message.error !== undefined) waiting?.reject(new Error(message.error));
			else waiting?.resolve(message.value);
		});
	}

	ready(): void {
		this.api.postMessage({ type: "ready" });
	}

	drawn(): void {
		this.api.postMessage({ type: "drawn" });
	}

	openSource(file: string, line: number): void {
		this.api.postMessage({ type: "openSource", file, line });
	}

	ask(question: Ask): Promise<unknown> {
		const id = this.nextId++;
		return new Promise((resolve, reject) => {
			this.pending.set(id, { resolve, reject });
			this.api.postMessage({ ...question, id });
		});
	}

	get state(): PageState {
		return (this.api.getState() as PageState | undefined) ?? {};
	}

	save(change: PageState): void {
		this.api.setState({ ...this.state, ...change });
	}
}
