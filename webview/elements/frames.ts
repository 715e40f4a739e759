import { css, html, LitElement, nothing } from "lit";
import {
	drawFrameMap,
	type FrameLayout,
	type FrameLetter,
	frameAt,
	frameColours,
	frameLayout,
	frameMeaning,
} from "../draw/frameMap.ts";
import { readPalette } from "../draw/surface.ts";
import type { FramesModel } from "../pageModel.ts";
import { fitCanvas } from "./canvas.ts";
import { panelStyles } from "./styles.ts";

const frameSize = 4096;
/** Rows of the table; a process may have thousands of frames. */
const mostRows = 100;

/** All of RAM, one cell a frame. Arrow keys move, the line below says what is under the pointer or the keyboard. */
export class FramesPanel extends LitElement {
	static override styles = [
		panelStyles,
		css`
			b.code {
				display: inline-block;
				min-width: 1.4em;
				text-align: center;
				color: var(--vscode-editor-background);
				outline: 1px solid var(--vscode-contrastBorder, transparent);
			}
			/* The colours of draw/surface.ts. */
			b.kernel {
				background: var(--vscode-charts-purple, var(--vscode-foreground));
			}
			b.pageTable {
				background: var(--vscode-charts-orange, var(--vscode-editorWarning-foreground));
			}
			b.user {
				background: var(--vscode-charts-blue, var(--vscode-textLink-foreground));
			}
			b.shared {
				background: var(--vscode-charts-green, var(--vscode-testing-iconPassed));
			}
			b.free {
				background: var(--vscode-editorWidget-background, var(--vscode-editor-background));
				color: var(--vscode-foreground);
			}
			b.leaked {
				background: var(--vscode-charts-yellow, var(--vscode-editorWarning-foreground));
			}
			b.twoHands {
				background: var(--vscode-charts-red, var(--vscode-errorForeground));
			}
			b.guard {
				background: var(--vscode-disabledForeground, var(--vscode-foreground));
			}
		`,
	];
	static override properties = {
		frames: { attribute: false },
		notes: { attribute: false },
		pid: { type: Number },
		marked: { attribute: false },
		zoom: { type: Number },
		selected: { state: true },
	};
	frames: FramesModel | undefined;
	notes: readonly string[] = [];
	/** Frames of this process are lit up; -1: none. */
	pid = -1;
	/** Frames of a finding; they win over the process. */
	marked: readonly number[] = [];
	zoom = 1;
	selected = -1;
	private readonly resized = new ResizeObserver(() => this.draw());

	override connectedCallback(): void {
		super.connectedCallback();
		this.resized.observe(this);
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.resized.disconnect();
	}

	override render() {
		const { frames } = this;
		if (!frames) return html`<p class="note">No memory yet: boot the machine.</p>`;
		const letters = Object.keys(frameMeaning) as FrameLetter[];
		return html`
			${this.notes.map((note) => html`<p class="note">${note}</p>`)}
			<div class="row" role="list" aria-label="Uses of frames">
				${letters
					.filter((letter) => (frames.counts[letter] ?? 0) > 0)
					.map(
						(letter) =>
							html`<span role="listitem"><b class="code ${frameColours[letter]}">${letter === "." ? "·" : letter}</b> ${frameMeaning[letter]}: ${frames.counts[letter]}</span>`,
					)}
			</div>
			<div class="row">
				<button class="small" @click=${() => this.zoomBy(1)}>Zoom in</button>
				<button class="small" @click=${() => this.zoomBy(-1)}>Zoom out</button>
			</div>
			<p class="code" aria-live="polite">${this.selected < 0 ? "Point at a frame, or move with the arrow keys." : frames.describe(this.selected)}</p>
			<canvas
				tabindex="0"
				role="img"
				aria-label="Frame map of ${frames.letters.length} frames; arrow keys move, plus and minus zoom"
				@mousemove=${this.hovered}
				@keydown=${this.key}
			></canvas>
			${this.table(frames)}
		`;
	}

	/** What the map shows by colour, as text: the frames of a finding, or the shared, lost and doubly used ones and those of the process. */
	private table(frames: FramesModel) {
		const all = this.marked.length > 0 ? this.marked : frames.notable(this.pid);
		if (all.length === 0) return html`<p class="note">No frame is shared, leaked or in two hands.</p>`;
		return html`
			<table role="grid" aria-label="Frames of interest">
				<thead><tr><th>Frame</th><th>Address</th><th>Use</th><th>Who has it</th></tr></thead>
				<tbody>${all.slice(0, mostRows).map(
					(frame) => html`<tr tabindex="0" aria-selected=${frame === this.selected ? "true" : "false"}
						@click=${() => this.select(frame)} @focus=${() => this.select(frame)}>
						<td>${frame}</td><td class="code">${FramesPanel.address(frames.base, frame)}</td>
						<td>${frameMeaning[frames.letters[frame] as FrameLetter]}</td>
						<td>${frames.owners(frame).map((owner) => html`<div>${owner}</div>`)}</td>
					</tr>`,
				)}</tbody>
			</table>
			${all.length > mostRows ? html`<p class="note">${all.length - mostRows} more; pick a process, or move over the map.</p>` : nothing}`;
	}

	private select(frame: number): void {
		this.selected = frame;
	}

	override updated(): void {
		this.draw();
	}

	redraw(): void {
		this.draw();
	}

	private get layout(): FrameLayout {
		return frameLayout(this.frames?.letters.length ?? 0, Math.max(200, this.clientWidth - 8), this.zoom);
	}

	private draw(): void {
		const canvas = this.renderRoot.querySelector("canvas");
		const { frames } = this;
		if (!canvas || !frames) return;
		const layout = this.layout;
		const surface = fitCanvas(canvas, layout.columns * layout.cell, layout.rows * layout.cell);
		const highlighted = this.marked.length > 0 ? new Set(this.marked) : this.pid >= 0 ? frames.of(this.pid) : undefined;
		const model = { letters: frames.letters, selected: this.selected, ...(highlighted ? { highlighted } : {}) };
		drawFrameMap(surface, model, layout, readPalette(getComputedStyle(document.documentElement)));
	}

	private zoomBy(step: number): void {
		this.zoom = Math.min(6, Math.max(1, this.zoom + step));
	}

	private hovered(event: MouseEvent): void {
		this.selected = frameAt(this.layout, this.frames?.letters.length ?? 0, event.offsetX, event.offsetY);
	}

	private key(event: KeyboardEvent): void {
		const { columns } = this.layout;
		const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
		const step = steps[event.key];
		if (event.key === "+" || event.key === "-") {
			this.zoomBy(event.key === "+" ? 1 : -1);
		} else if (step !== undefined) {
			const last = (this.frames?.letters.length ?? 0) - 1;
			this.selected = Math.min(last, Math.max(0, Math.max(0, this.selected) + step));
		} else return;
		event.preventDefault();
	}

	/** Physical address of a frame. */
	static address(base: number, index: number): string {
		return `0x${(base + index * frameSize).toString(16)}`;
	}
}
customElements.define("xv6-frames", FramesPanel);
