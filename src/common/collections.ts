/** Takes the entry out of a map that came first: with `delete` before each `set`, the one that was set least recently. */
export function forgetOldest<K>(map: Map<K, unknown>): void {
	for (const key of map.keys()) {
		map.delete(key);
		return;
	}
}
