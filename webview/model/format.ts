import { l10n } from "../l10n.ts";

export const pageBytes = 4096;

export function hex(value: number): string {
	return `0x${value.toString(16)}`;
}

/** The page that an address lies on; addresses of the upper half, which no user page has, come out as -1. */
export function pageOf(address: string): number {
	const value = BigInt(address);
	return value < 2n ** 53n ? Math.floor(Number(value) / pageBytes) * pageBytes : -1;
}

export function count(value: number): string {
	return value.toLocaleString("en");
}

/** Guest time since the run began; the shell forked a little before that. */
export function since(start: number, instret: number): string {
	const passed = Math.abs(instret - start);
	const sign = instret < start ? "−" : "+";
	return passed < 1e9 ? `${sign}${(passed / 1e6).toFixed(2)} M` : `${sign}${(passed / 1e9).toFixed(2)} G`;
}

export function bytesText(bytes: number): string {
	for (const [unit, size] of [
		["GiB", 2 ** 30],
		["MiB", 2 ** 20],
		["KiB", 2 ** 10],
	] as const)
		if (bytes >= size) return `${(bytes / size).toFixed(bytes / size < 10 ? 1 : 0).replace(/\.0$/, "")} ${unit}`;
	return l10n.t("{0} bytes", bytes);
}

export function pagesText(pages: number): string {
	return pages === 1 ? l10n.t("1 page") : l10n.t("{0} pages", count(pages));
}

/** The name of a file without its folders. */
export function fileName(path: string): string {
	return path.split("/").at(-1) ?? path;
}
