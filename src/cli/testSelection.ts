import { UserError } from "../common/errors.ts";

export function filtered<T extends { readonly title: string }>(
	tests: readonly T[],
	texts: readonly string[] | undefined,
): readonly T[] {
	const wanted = texts?.map((text) => text.toLowerCase());
	return wanted ? tests.filter(({ title }) => wanted.some((text) => title.toLowerCase().includes(text))) : tests;
}

/** `i/n`, i from 1: every n-th test, for graders that spread a class over machines. */
export function shard<T>(tests: readonly T[], text: string | undefined): readonly T[] {
	if (text === undefined) return tests;
	const match = /^(\d+)\/(\d+)$/.exec(text);
	const [index, count] = [Number(match?.[1]), Number(match?.[2])];
	if (!match || index < 1 || index > count) {
		throw new UserError("usage", `--shard ${text} is not a part`, "Write i/n with i from 1 to n.");
	}
	return tests.filter((_, i) => i % count === index - 1);
}
