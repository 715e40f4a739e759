/** More is not kept: a few hundred screens. */
const mostBytes = 1 << 20;

/** What the guest printed last, by how many bytes it had printed: what the console showed at an earlier moment. */
export class ConsoleRecord {
	private chunks: Uint8Array[] = [];
	private kept = 0;
	/** Bytes printed since power-on. */
	total = 0;

	add(bytes: Uint8Array): void {
		this.chunks.push(bytes.slice());
		this.kept += bytes.length;
		this.total += bytes.length;
		while (this.kept - (this.chunks[0]?.length ?? 0) > mostBytes) this.kept -= this.chunks.shift()?.length ?? 0;
	}

	/** The last bytes of the first `count` that were printed, at most so many; fewer where they are not kept any more. */
	before(count: number, most = mostBytes): Uint8Array {
		const first = this.total - this.kept;
		const end = Math.max(first, Math.min(count, this.total));
		const start = Math.max(first, end - most);
		const result = new Uint8Array(end - start);
		let at = first;
		for (const chunk of this.chunks) {
			const from = Math.max(start - at, 0);
			const to = Math.min(end - at, chunk.length);
			if (to > from) result.set(chunk.subarray(from, to), at + from - start);
			at += chunk.length;
		}
		return result;
	}

	/** What came after the first `count` bytes has not been printed. */
	cut(count: number): void {
		const left = this.before(count);
		this.total = Math.min(count, this.total);
		this.chunks = [left];
		this.kept = left.length;
	}
}
