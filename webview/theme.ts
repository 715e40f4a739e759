/** Colours that are fit to be read, derived from whatever theme is there. Pure: numbers in, numbers out. */

export type Rgb = readonly [number, number, number];

/** Least contrast of text (WCAG 1.4.3), with a little room for what is measured on pixels. */
const leastText = 4.6;

export function parseColour(text: string): Rgb | undefined {
	const short = /^#([\da-f])([\da-f])([\da-f])[\da-f]?$/i.exec(text);
	if (short) return [1, 2, 3].map((i) => Number.parseInt(`${short[i]}${short[i]}`, 16)) as unknown as Rgb;
	const long = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})([\da-f]{2})?$/i.exec(text);
	if (long) return [1, 2, 3].map((i) => Number.parseInt(long[i] as string, 16)) as unknown as Rgb;
	const numbers = /^rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)/.exec(text);
	return numbers ? [Number(numbers[1]), Number(numbers[2]), Number(numbers[3])] : undefined;
}

/** The alpha of a colour, 1 when it has none. */
function alphaOf(text: string): number {
	const long = /^#[\da-f]{6}([\da-f]{2})$/i.exec(text);
	if (long) return Number.parseInt(long[1] as string, 16) / 255;
	const numbers = /^rgba\(\s*[\d.]+[,\s]+[\d.]+[,\s]+[\d.]+[,\s/]+([\d.]+)/.exec(text);
	return numbers ? Number(numbers[1]) : 1;
}

export function mix(a: Rgb, b: Rgb, share: number): Rgb {
	return [0, 1, 2].map((i) => (a[i] as number) * share + (b[i] as number) * (1 - share)) as unknown as Rgb;
}

function luminance(colour: Rgb): number {
	const linear = (value: number) => {
		const part = value / 255;
		return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
	};
	return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
}

/** WCAG 2: 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
	const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
	return (high + 0.05) / (low + 0.05);
}

export interface ThemeColours {
	readonly background: string;
	/** Of the workbench and of the editor: the better one is taken. */
	readonly foregrounds: readonly string[];
	readonly card: string;
	readonly link: string;
	readonly accent: string;
	readonly problem: string;
	readonly warning: string;
	readonly owners: readonly string[];
	readonly highContrast: boolean;
}

export interface Tokens {
	readonly foreground: string;
	readonly muted: string;
	/** Behind cards. */
	readonly card: string;
	readonly link: string;
	readonly accent: string;
	readonly problem: string;
	/** Share of the owner's colour in a fill, percent. */
	readonly tint: number;
	/** Share of the accent in the column of the moment, percent. */
	readonly here: number;
}

const css = (colour: Rgb) => `rgb(${colour.map((part) => Math.round(part)).join(" ")})`;

/** Every text of the page reaches 4.5:1 where the theme's own foreground does; where it does not, the page adds nothing to that. */
export function tokens(theme: ThemeColours): Tokens {
	const background: Rgb = parseColour(theme.background) ?? [255, 255, 255];
	const solid = (text: string): Rgb | undefined => {
		const colour = parseColour(text);
		return colour && mix(colour, background, alphaOf(text));
	};
	const candidates = theme.foregrounds.map(solid).filter((colour) => colour !== undefined);
	const dark = luminance(background) < 0.18;
	const usual: Rgb = dark ? [204, 204, 204] : [59, 59, 59];
	const foreground = candidates.sort((a, b) => contrast(b, background) - contrast(a, background))[0] ?? usual;
	const card = solid(theme.card);
	const cardFits = card && contrast(foreground, card) >= leastText && contrast(card, background) < 1.6;
	const back: Rgb = cardFits ? card : background;
	const onBoth = (colour: Rgb) => Math.min(contrast(colour, background), contrast(colour, back));
	const accent = solid(theme.accent);
	const line: Rgb = accent && contrast(accent, background) >= 3 ? accent : foreground;
	const here = largest(
		[14, 10, 6, 0],
		(share) => contrast(foreground, mix(line, background, share / 100)) >= leastText,
	);
	const hereFill = mix(line, background, here / 100);
	const readable = (text: string): Rgb => {
		const colour = solid(text);
		return colour && onBoth(colour) >= leastText && contrast(colour, hereFill) >= leastText ? colour : foreground;
	};
	const share = [0.78, 0.84, 0.9, 1].find((part) => {
		const muted = mix(foreground, background, part);
		return onBoth(muted) >= leastText + 0.4 && contrast(muted, hereFill) >= leastText;
	});
	const owners = theme.owners.map(solid).filter((colour) => colour !== undefined);
	const tints = theme.highContrast ? [0] : dark ? [24, 18, 12, 6, 0] : [15, 10, 5, 0];
	const tint = largest(tints, (part) =>
		owners.every((owner) => contrast(foreground, mix(owner, background, part / 100)) >= leastText),
	);
	return {
		foreground: css(foreground),
		muted: css(theme.highContrast ? foreground : mix(foreground, background, share ?? 1)),
		card: css(back),
		link: css(readable(theme.link)),
		accent: css(line),
		problem: css(readable(theme.problem)),
		tint,
		here,
	};
}

function largest(values: readonly number[], fits: (value: number) => boolean): number {
	return values.find(fits) ?? 0;
}
