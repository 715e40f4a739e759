/**
 * Where the characters begin with which a text ends and all of which `one` matches. A regular expression that ends with `$` would try
 * from each of them: its time is the square of their number.
 */
export function startOfTail(text: string, one: RegExp): number {
	let at = text.length;
	while (at > 0 && one.test(text[at - 1] as string)) at--;
	return at;
}
