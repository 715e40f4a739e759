import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { contrast, mix, parseColour, type Rgb, type ThemeColours, tokens } from "../../../webview/theme.ts";

interface Colour {
	readonly id: string;
	readonly defaults: Readonly<Record<"dark" | "light" | "highContrast" | "highContrastLight", string>>;
}
const { contributes } = JSON.parse(readFileSync("package.json", "utf8")) as { contributes: { colors: Colour[] } };
const own = (kind: keyof Colour["defaults"]) =>
	new Map(contributes.colors.map(({ id, defaults }) => [id.replace("xv6Lab.", ""), defaults[kind]]));

/** Background, foreground, link, accent of themes that many people use, and of the four built-in kinds. */
const themes: Readonly<Record<string, readonly [keyof Colour["defaults"], string, string, string, string]>> = {
	"Light Modern": ["light", "#ffffff", "#3b3b3b", "#005fb8", "#005fb8"],
	"Dark Modern": ["dark", "#1f1f1f", "#cccccc", "#4daafc", "#0078d4"],
	"Dark High Contrast": ["highContrast", "#000000", "#ffffff", "#21a6ff", "#f38518"],
	"Light High Contrast": ["highContrastLight", "#ffffff", "#292929", "#0f4a85", "#006bbd"],
	Monokai: ["dark", "#272822", "#f8f8f2", "#66d9ef", "#99947c"],
	"Solarized Light": ["light", "#fdf6e3", "#616161", "#268bd2", "#b49471"],
	"Solarized Dark": ["dark", "#002b36", "#cccccc", "#2aa198", "#2aa19899"],
	"Quiet Light": ["light", "#f5f5f5", "#333333", "#4183c4", "#9769dc"],
	Abyss: ["dark", "#000c18", "#cccccc", "#3794ff", "#596f99"],
	Red: ["dark", "#390000", "#f8f8f8", "#3794ff", "#ff6666aa"],
	Dracula: ["dark", "#282a36", "#f8f8f2", "#8be9fd", "#6272a4"],
	"One Dark Pro": ["dark", "#282c34", "#abb2bf", "#61afef", "#3e4452"],
	"GitHub Light": ["light", "#ffffff", "#24292f", "#0969da", "#0969da"],
	Nord: ["dark", "#2e3440", "#d8dee9", "#88c0d0", "#3b4252"],
};

const rgb = (text: string): Rgb => {
	const numbers = /^rgb\((\d+) (\d+) (\d+)\)$/.exec(text);
	return numbers ? [Number(numbers[1]), Number(numbers[2]), Number(numbers[3])] : (parseColour(text) as Rgb);
};

test.each(Object.entries(themes))("every text can be read in %s", (_, [kind, background, foreground, link, accent]) => {
	const colours = own(kind);
	const owners = [...colours].filter(([name]) => /owner|kernel/.test(name)).map(([, value]) => value);
	const theme: ThemeColours = {
		...{ background, foregrounds: [foreground], card: "", link, accent, owners },
		...{ problem: colours.get("problem") ?? "", warning: colours.get("warning") ?? "" },
		highContrast: kind.startsWith("high"),
	};
	const made = tokens(theme);
	const back = rgb(background);
	const here = mix(rgb(made.accent), back, made.here / 100);
	for (const text of [made.foreground, made.muted, made.link, made.problem]) {
		expect(contrast(rgb(text), back)).toBeGreaterThanOrEqual(4.5);
		expect(contrast(rgb(text), rgb(made.card))).toBeGreaterThanOrEqual(4.5);
		if (text !== made.problem) expect(contrast(rgb(text), here)).toBeGreaterThanOrEqual(4.45);
	}
	for (const owner of owners) {
		expect(contrast(rgb(made.foreground), mix(rgb(owner), back, made.tint / 100))).toBeGreaterThanOrEqual(4.5);
		expect(contrast(rgb(owner), back)).toBeGreaterThanOrEqual(3);
	}
	expect(contrast(rgb(made.accent), back)).toBeGreaterThanOrEqual(3);
});

test("colours are read as browsers and themes write them", () => {
	expect(parseColour("#abc")).toEqual([170, 187, 204]);
	expect(parseColour("#ff000080")).toEqual([255, 0, 0]);
	expect(parseColour("rgba(1, 2, 3, 0.5)")).toEqual([1, 2, 3]);
	expect(parseColour("rgb(1 2 3)")).toEqual([1, 2, 3]);
	expect(parseColour("")).toBeUndefined();
	expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
});
