import { type ThemeColours, tokens } from "./theme.ts";

const owners = ["owner1", "owner2", "owner3", "owner4", "owner5", "owner6", "kernel"];

/** Reads the theme that VS Code has set, and sets what the page's style sheet is made of. */
export function applyTheme(): void {
	const root = document.documentElement;
	const style = getComputedStyle(root);
	const own = getComputedStyle(document.body);
	const read = (name: string) =>
		style.getPropertyValue(`--vscode-${name}`).trim() || own.getPropertyValue(`--vscode-${name}`).trim();
	const kinds = document.body.classList;
	const theme: ThemeColours = {
		background: read("editor-background"),
		foregrounds: [read("foreground"), read("editor-foreground")],
		card: read("sideBar-background"),
		link: read("textLink-foreground"),
		accent: read("focusBorder"),
		problem: read("xv6Lab-problem"),
		warning: read("xv6Lab-warning"),
		owners: owners.map((name) => read(`xv6Lab-${name}`)),
		highContrast: kinds.contains("vscode-high-contrast") || kinds.contains("vscode-high-contrast-light"),
	};
	const made = tokens(theme);
	const values = {
		fg: made.foreground,
		muted: made.muted,
		soft: made.card,
		link: made.link,
		accent: made.accent,
		bad: made.problem,
		tint: `${made.tint}%`,
		here: `${made.here}%`,
	};
	const key = JSON.stringify(values);
	if (key === applied) return;
	applied = key;
	for (const [name, value] of Object.entries(values)) root.style.setProperty(`--x-${name}`, value);
}

/** What was set last: setting it again would tell the observer again. */
let applied = "";

/** Again whenever VS Code changes the theme. */
export function followTheme(): MutationObserver {
	applyTheme();
	const observer = new MutationObserver(() => applyTheme());
	observer.observe(document.body, { attributes: true });
	observer.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
	return observer;
}
