/** Something that holds a resource until it is told to let go. Disposing twice is harmless. */
export interface Disposable {
	dispose(): void;
}

export function toDisposable(dispose: () => void): Disposable {
	let done = false;
	return {
		dispose() {
			if (done) return;
			done = true;
			dispose();
		},
	};
}

/** Owns disposables and lets go of them in the reverse order of their coming. */
export class DisposableStore implements Disposable {
	private items: Disposable[] | undefined = [];

	/** Takes ownership; after `dispose()` the item is disposed at once, so that a late arrival cannot leak. */
	add<T extends Disposable>(item: T): T {
		if (this.items) this.items.push(item);
		else item.dispose();
		return item;
	}

	dispose(): void {
		const items = this.items ?? [];
		this.items = undefined;
		for (const item of items.reverse()) item.dispose();
	}

	get disposed(): boolean {
		return this.items === undefined;
	}
}

/** Holds one replaceable member: setting a new value disposes the old one. */
export class MutableDisposable<T extends Disposable> implements Disposable {
	private current: T | undefined;

	get value(): T | undefined {
		return this.current;
	}

	set value(next: T | undefined) {
		if (next === this.current) return;
		this.current?.dispose();
		this.current = next;
	}

	dispose(): void {
		this.value = undefined;
	}
}
