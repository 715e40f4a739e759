/** The part of a 2D canvas that the maps use; a recording one stands in for it in tests. */
export interface Surface {
	fillStyle: string | CanvasGradient | CanvasPattern;
	strokeStyle: string | CanvasGradient | CanvasPattern;
	lineWidth: number;
	font: string;
	textAlign: CanvasTextAlign;
	textBaseline: CanvasTextBaseline;
	clearRect(x: number, y: number, width: number, height: number): void;
	fillRect(x: number, y: number, width: number, height: number): void;
	strokeRect(x: number, y: number, width: number, height: number): void;
	fillText(text: string, x: number, y: number, maxWidth?: number): void;
}

/** Colours of the current theme, by what they mean. Never the only sign: letters and tables say the same. */
export interface Palette {
	readonly background: string;
	readonly foreground: string;
	readonly border: string;
	readonly focus: string;
	readonly kernel: string;
	readonly pageTable: string;
	readonly user: string;
	readonly shared: string;
	readonly free: string;
	readonly leaked: string;
	readonly twoHands: string;
	readonly region: string;
	readonly guard: string;
}

/** Reads the theme's variables; a theme that lacks one gets a colour of the same meaning. */
export function readPalette(style: { getPropertyValue(name: string): string }): Palette {
	const pick = (...names: string[]): string => {
		for (const name of names) {
			const value = style.getPropertyValue(`--vscode-${name}`).trim();
			if (value !== "") return value;
		}
		return "#808080";
	};
	return {
		background: pick("editor-background"),
		foreground: pick("foreground", "editor-foreground"),
		border: pick("contrastBorder", "panel-border", "editorWidget-border", "foreground"),
		focus: pick("focusBorder", "contrastActiveBorder", "foreground"),
		kernel: pick("charts-purple", "foreground"),
		pageTable: pick("charts-orange", "editorWarning-foreground"),
		user: pick("charts-blue", "textLink-foreground"),
		shared: pick("charts-green", "testing-iconPassed"),
		free: pick("editorWidget-background", "editor-background"),
		leaked: pick("charts-yellow", "editorWarning-foreground"),
		twoHands: pick("charts-red", "errorForeground"),
		region: pick("charts-green", "testing-iconPassed"),
		guard: pick("disabledForeground", "foreground"),
	};
}
