import type { Disposable } from "../common/disposable.ts";
import { BugError, UserError, type UserErrorData } from "../common/errors.ts";

/** Two-way message pipe: a worker's port, a web worker, or a pair in a test. Messages arrive in order. */
export interface Port {
	post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
	onMessage(listener: (message: unknown) => void): Disposable;
}

type Failure = { readonly user: UserErrorData } | { readonly bug: string };

type Message =
	| { readonly type: "request"; readonly id: number; readonly kind: string; readonly params: unknown }
	| { readonly type: "answer"; readonly id: number; readonly value: unknown }
	| { readonly type: "failure"; readonly id: number; readonly failure: Failure }
	| { readonly type: "event"; readonly kind: string; readonly event: unknown };

type RequestMap<R> = { [K in keyof R]: { params: unknown; result: unknown } };

/** The asking side. A failed request rejects with the same error; `close` rejects all that are open. */
export class RpcClient<Requests extends RequestMap<Requests>, Events> implements Disposable {
	private readonly open = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
	private readonly listeners = new Map<keyof Events, Set<(event: never) => void>>();
	private readonly subscription: Disposable;
	private nextId = 1;
	private closed: Error | undefined;

	constructor(private readonly port: Port) {
		this.subscription = port.onMessage((message) => this.receive(message as Message));
	}

	request<K extends keyof Requests & string>(kind: K, params: Requests[K]["params"]): Promise<Requests[K]["result"]> {
		if (this.closed) return Promise.reject(this.closed);
		const id = this.nextId++;
		return new Promise((resolve, reject) => {
			this.open.set(id, { resolve, reject });
			this.port.post({ type: "request", id, kind, params } satisfies Message);
		});
	}

	on<K extends keyof Events & string>(kind: K, listener: (event: Events[K]) => void): Disposable {
		const set = this.listeners.get(kind) ?? new Set();
		this.listeners.set(kind, set);
		set.add(listener);
		return { dispose: () => set.delete(listener) };
	}

	/** The other side is gone: nothing waits for it any more. */
	close(error: Error): void {
		this.closed ??= error;
		for (const { reject } of this.open.values()) reject(error);
		this.open.clear();
	}

	dispose(): void {
		this.subscription.dispose();
		this.close(new UserError("cancelled", "The view was closed", "Open it again."));
	}

	private receive(message: Message): void {
		if (message.type === "event") {
			for (const listener of this.listeners.get(message.kind as keyof Events) ?? []) listener(message.event as never);
			return;
		}
		if (message.type === "request") return;
		const waiting = this.open.get(message.id);
		this.open.delete(message.id);
		if (message.type === "answer") waiting?.resolve(message.value as never);
		else waiting?.reject(toError(message.failure));
	}
}

type Handlers<Requests extends RequestMap<Requests>> = {
	readonly [K in keyof Requests]: (params: Requests[K]["params"]) => Promise<Requests[K]["result"]>;
};

/** The answering side: every request is answered, with a value or with its failure. */
export function serve<Requests extends RequestMap<Requests>>(port: Port, handlers: Handlers<Requests>): Disposable {
	return port.onMessage((raw) => {
		const message = raw as Message;
		if (message.type !== "request") return;
		const { id, kind, params } = message;
		const known = Object.hasOwn(handlers, kind) ? handlers[kind as keyof Requests] : undefined;
		const handler = known as ((params: unknown) => Promise<unknown>) | undefined;
		const work = handler ? handler(params) : Promise.reject(new BugError(`no handler for ${kind}`));
		work.then(
			(value) => port.post({ type: "answer", id, value } satisfies Message),
			(error: unknown) => port.post({ type: "failure", id, failure: toFailure(error) } satisfies Message),
		);
	});
}

/** Tells the asking side something that it did not ask for. */
export function sendEvent(port: Port, kind: string, event: unknown): void {
	port.post({ type: "event", kind, event } satisfies Message);
}

function toFailure(error: unknown): Failure {
	if (error instanceof UserError) return { user: error.toData() };
	return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function toError(failure: Failure): Error {
	return "user" in failure ? UserError.fromData(failure.user) : new BugError(failure.bug);
}
