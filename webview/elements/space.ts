import { html, LitElement, nothing } from "lit";
import { drawAddressBar, layoutBar, segmentAt } from "../draw/addressBar.ts";
import { readPalette } from "../draw/surface.ts";
import type { SpaceModel } from "../pageModel.ts";
import { fitCanvas } from "./canvas.ts";
import { panelStyles } from "./styles.ts";

const barHeight = 34;

/** One address space: the bar of ranges to scale, and the same as a table, which is what a screen reader gets. */
export class SpacePanel extends LitElement {
	static override styles = panelStyles;
	static override properties = { space: { attribute: false }, notes: { attribute: false }, selected: { state: true } };
	space: SpaceModel | undefined;
	notes: readonly string[] = [];
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
		if (!this.space) return html`<p class="note">No address space yet: boot the machine.</p>`;
		const { title, root } = this.space;
		return html`
			${this.notes.map((note) => html`<p class="note">${note}</p>`)}
			<p>${title}, page table at <span class="code">${root}</span></p>
			<canvas aria-hidden="true" @click=${this.clicked}></canvas>
			<table role="grid" aria-label="Ranges of ${title}" @keydown=${this.key}>
				<thead>
					<tr><th>Range</th><th>From</th><th>To</th><th>RWXU</th><th>Pages present</th><th>Frames</th><th>Region</th></tr>
				</thead>
				<tbody>
					${this.space.ranges.map((range, i) => {
						const current = i === Math.max(0, this.selected);
						return html`<tr tabindex=${current ? 0 : -1} aria-selected=${i === this.selected ? "true" : "false"} @click=${() => this.select(i)}>
							<td>${range.label}</td><td class="code">${range.start}</td><td class="code">${range.end}</td>
							<td class="code">${range.permissions}</td><td>${range.present} of ${range.pages}</td>
							<td class="code">${range.frames}</td><td>${range.detail || nothing}</td>
						</tr>`;
					})}
				</tbody>
			</table>
		`;
	}

	override updated(): void {
		this.draw();
	}

	/** The theme changed. */
	redraw(): void {
		this.draw();
	}

	private get order() {
		return [...(this.space?.ranges ?? [])].sort((a, b) => a.page - b.page);
	}

	private draw(): void {
		const canvas = this.renderRoot.querySelector("canvas");
		if (!canvas || !this.space) return;
		const width = Math.max(200, this.clientWidth - 4);
		const surface = fitCanvas(canvas, width, barHeight);
		const chosen = this.space.ranges[this.selected];
		const segments = layoutBar(this.order, width);
		const index = segments.findIndex((segment) => segment.range === chosen);
		drawAddressBar(surface, segments, barHeight, index, readPalette(getComputedStyle(document.documentElement)));
	}

	private clicked(event: MouseEvent): void {
		const segments = layoutBar(this.order, Math.max(200, this.clientWidth - 4));
		const found = segments[segmentAt(segments, event.offsetX)];
		if (found) this.select(this.space?.ranges.indexOf(found.range as never) ?? -1);
	}

	private select(index: number): void {
		this.selected = index;
	}

	private key(event: KeyboardEvent): void {
		const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
		if (step === 0 || !this.space) return;
		event.preventDefault();
		this.selected = Math.min(this.space.ranges.length - 1, Math.max(0, Math.max(0, this.selected) + step));
		void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('tr[tabindex="0"]')?.focus());
	}
}
customElements.define("xv6-space", SpacePanel);
