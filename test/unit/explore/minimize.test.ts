import { expect, test } from "vitest";
import { minimize } from "../../../src/explore/minimize.ts";

const list = Array.from({ length: 40 }, (_, i) => i);
const needs = (wanted: readonly number[]) => async (part: readonly number[]) =>
	wanted.every((one) => part.includes(one));

test.each([[[]], [[3]], [[0, 39]], [[4, 5, 30]]])("what fails by %j alone becomes that", async (wanted) => {
	expect(await minimize(list, needs(wanted), 200)).toEqual(wanted);
});

test("the result fails even where tries run out", async () => {
	let tries = 0;
	const fails = needs([1, 20, 38]);
	const small = await minimize(
		list,
		(part) => {
			tries++;
			return fails(part);
		},
		10,
	);
	expect(tries).toBeLessThanOrEqual(10);
	expect(await fails(small)).toBe(true);
	expect(small.length).toBeLessThan(list.length);
});
