import { type Disposable, toDisposable } from "./disposable.ts";

/** Subscribe to something; disposing the result ends the subscription. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/** The firing side of an {@link Event}. A listener added or removed while firing takes effect at the next fire. */
export class Emitter<T> implements Disposable {
	private listeners: readonly ((value: T) => void)[] = [];

	readonly event: Event<T> = (listener) => {
		this.listeners = [...this.listeners, listener];
		return toDisposable(() => {
			this.listeners = this.listeners.filter((other) => other !== listener);
		});
	};

	/** Lets a producer skip the work of making a value that nobody reads. */
	get hasListeners(): boolean {
		return this.listeners.length > 0;
	}

	fire(value: T): void {
		for (const listener of this.listeners) listener(value);
	}

	dispose(): void {
		this.listeners = [];
	}
}
