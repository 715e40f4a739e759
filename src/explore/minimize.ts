/**
 * Delta debugging (Zeller and Hildebrandt, ddmin): a part of the list that still fails and of which, as far as the tries
 * reach, nothing can be left out.
 */
export async function minimize<T>(
	list: readonly T[],
	fails: (part: readonly T[]) => Promise<boolean>,
	tries: number,
): Promise<readonly T[]> {
	let left = tries;
	const test = async (part: readonly T[]): Promise<boolean> => left-- > 0 && (await fails(part));
	if (await test([])) return [];
	let now = list;
	for (let parts = 2; now.length >= 2 && left > 0; ) {
		const size = Math.ceil(now.length / parts);
		let smaller: readonly T[] | undefined;
		for (let i = 0; i < now.length && !smaller && left > 0; i += size) {
			const chunk = now.slice(i, i + size);
			const rest = [...now.slice(0, i), ...now.slice(i + size)];
			if (parts === 2 && (await test(chunk))) smaller = chunk;
			else if (rest.length > 0 && (await test(rest))) smaller = rest;
		}
		if (smaller) {
			parts = smaller.length < now.length - size ? 2 : Math.max(2, parts - 1);
			now = smaller;
		} else if (parts >= now.length) break;
		else parts = Math.min(now.length, parts * 2);
	}
	return now;
}
