import { html, nothing } from "lit";
import { l10n } from "../l10n.ts";
import { frameMap, type Segment } from "../model/frames.ts";
import { ownerClass, Part, relate, roam } from "./part.ts";

/** Used frames as boxes, free stretches as their number. */
export class Frames extends Part {
	private focused = 0;

	override render() {
		const { store } = this;
		const run = this.run;
		const { memory } = store;
		const notes = run.model.notes.frames ?? [];
		if (!memory)
			return html`<section class="part"><h2>${l10n.t("Physical frames")}</h2><p class="muted">${l10n.t("Memory was not kept so early.")}</p></section>`;
		const { segments, summary, kernelOfNow } = frameMap(run, memory);
		const bases = new Set(segments.map(({ text }) => text.replace(/ × .*/, "")));
		return html`
			<section class="part" aria-labelledby="frames-title">
				<h2 id="frames-title">${l10n.t("Physical frames")}<small>${summary}</small></h2>
				${notes.map((note) => html`<p class="note">${note}</p>`)}
				<div class="frame-map" role="list" aria-label=${l10n.t("Frames in address order; the arrow keys move")} @keydown=${this.key}>
					${segments.map((segment, i) => this.segment(segment, i))}
				</div>
				<div class="legend">
					<span><b>5</b> ${l10n.t("a page of process 5")}</span><span><b>3=4</b> ${l10n.t("shared by both")}</span>
					<span><b>5T</b> ${l10n.t("its page table")}</span><span><b>5F</b> ${l10n.t("its trapframe")}</span>
					${this.legend(bases, "K", l10n.t("kernel image"))}${this.legend(bases, "KS", l10n.t("kernel stacks"))}${this.legend(bases, "KT", l10n.t("kernel page tables"))}${this.legend(bases, "KD", l10n.t("kernel data: buffers, pipes, queues"))}
					${kernelOfNow && (bases.has("KD") || bases.has("K?")) ? html`<span>${l10n.t("what the kernel holds is as of now")}</span>` : nothing}
				</div>
			</section>`;
	}

	private legend(bases: ReadonlySet<string>, letters: string, words: string) {
		return bases.has(letters) ? html`<span><b>${letters}</b> ${words}</span>` : nothing;
	}

	private segment(segment: Segment, i: number) {
		const { kind, first, count, text, title, page } = segment;
		if (kind === "free") return html`<span role="listitem" class="free" title=${title}>${text}</span>`;
		const frame = count === 1 ? first : undefined;
		const owner =
			kind === "bad"
				? "wrong"
				: `${kind === "page" || kind === "shared" ? "owner" : "outline"} ${ownerClass(this.run, segment.pids[0] ?? 0)}`;
		const selected =
			page !== undefined && page.pid === this.store.selection?.pid && page.va === this.store.selection?.va;
		return html`<span role="listitem"><button class="frame ${owner} ${selected ? "selected" : ""}" data-frame=${frame ?? nothing} tabindex=${i === this.focused ? 0 : -1} title=${title}
			@click=${() => page && this.store.select(page)}
			@mouseenter=${() => relate(frame)} @mouseleave=${() => relate(undefined)} @focus=${() => relate(frame)} @blur=${() => relate(undefined)}><span class="sr">${title}</span><span aria-hidden="true">${text}</span></button></span>`;
	}

	override updated(): void {
		const boxes = this.boxes;
		if (boxes.length > 0 && !boxes.some((box) => box.tabIndex === 0)) (boxes[0] as HTMLElement).tabIndex = 0;
	}

	private get boxes(): HTMLElement[] {
		return [...this.querySelectorAll<HTMLElement>("button.frame")];
	}

	private key(event: KeyboardEvent): void {
		roam(event, this.boxes, { ArrowRight: 1, ArrowLeft: -1 });
	}
}
customElements.define("xv6-frames", Frames);
