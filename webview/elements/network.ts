import { html, nothing } from "lit";
import type { NetworkModel, PacketModel, RingDescriptorModel, RingModel } from "../../src/protocol/network.ts";
import { l10n } from "../l10n.ts";
import { count } from "../model/format.ts";
import { icon, Part } from "./part.ts";

/** Network card of the machine: its rings, the last packets, what the driver did wrong. Nothing where there is no card. */
export class Network extends Part {
	private network: NetworkModel | undefined;
	private asking = false;
	/** The model of the kernel that was shown when the card was asked for last, and the run that has no card. */
	private shown: object | undefined;
	private without: number | undefined;

	override render() {
		const { network } = this;
		if (!network) return nothing;
		const { rings, packets, interrupt, mistakes } = network;
		return html`
			<section class="part network" aria-labelledby="network-title">
				<h2 id="network-title">${l10n.t("Network card")}<small>${interrupt ? l10n.t("interrupt raised, its cause not cleared yet") : l10n.t("no interrupt raised")}</small></h2>
				${mistakes.map((text) => html`<p class="note">${icon("warning", "warning")} ${text}</p>`)}
				${rings.map((ring) => this.ring(ring))}
				${rings.some(({ descriptors }) => descriptors.length > 0) ? this.legend() : nothing}
				${packets.length === 0 ? html`<p class="muted">${l10n.t("No packet has been sent or received.")}</p>` : this.packets(packets)}
			</section>`;
	}

	override updated(): void {
		const { model, start } = this.store.run ?? {};
		if (!model || model === this.shown || this.asking || this.without === (start ?? 0)) return;
		this.shown = model;
		this.asking = true;
		void this.store.askNetwork().then((network) => {
			this.asking = false;
			this.without = network ? undefined : (start ?? 0);
			if (!network && !this.network) return;
			this.network = network;
			this.requestUpdate();
		});
	}

	private ring({ name, head, tail, descriptors }: RingModel) {
		const title = name === "receive" ? l10n.t("Receive ring") : l10n.t("Transmit ring");
		if (descriptors.length === 0) return html`<h3>${title}<small>${l10n.t("not set up")}</small></h3>`;
		return html`
			<h3>${title}<small>${l10n.t("head {0}, tail {1}", head, tail)}</small></h3>
			<ol class="ring" start="0">${descriptors.map((descriptor, i) => this.descriptor(descriptor, i, head, tail))}</ol>`;
	}

	private descriptor({ owner, done, address, length }: RingDescriptorModel, i: number, head: number, tail: number) {
		const marks = [i === head ? l10n.t("head") : "", i === tail ? l10n.t("tail") : ""].filter(Boolean);
		const whose = owner === "card" ? l10n.t("the card's") : l10n.t("the driver's");
		const facts = [whose, done ? "DD" : "", ...marks, address, l10n.t("{0} bytes", count(length))].filter(Boolean);
		const words = `${i}: ${facts.join(", ")}`;
		return html`<li title=${words} aria-label=${words}><div class="descriptor of-${owner}"><span>${i}</span>${
			done ? html`<b>DD</b>` : nothing
		}</div><span class="mark">${marks.join(" ")}</span></li>`;
	}

	private legend() {
		return html`<div class="legend">
			<span><span class="swatch of-card"></span> ${l10n.t("the card's: from head up to tail")}</span>
			<span><span class="swatch"></span> ${l10n.t("the driver's")}</span>
			<span><b>DD</b> ${l10n.t("the card is done with it")}</span>
		</div>`;
	}

	private packets(packets: readonly PacketModel[]) {
		return html`
			<h3 id="packets-title">${l10n.t("Packets")}<small>${l10n.t("the newest first; seconds since power-on")}</small></h3>
			<ul class="packets" tabindex="0" aria-labelledby="packets-title">${packets.toReversed().map(
				({ fromGuest, microseconds, length, layers }) => html`
				<li><details><summary><span class="mono">${(microseconds / 1e6).toFixed(6)}</span><span class="way">${
					fromGuest ? l10n.t("→ sent") : l10n.t("← received")
				}</span><span class="what">${summaryOf(layers)}</span><span class="size">${l10n.t("{0} bytes", count(length))}</span></summary>
				${layers.map((layer) => html`<div>${layer}</div>`)}</details></li>`,
			)}</ul>`;
	}
}

/** The innermost layer; text that it carries alone says too little. */
function summaryOf(layers: readonly string[]): string {
	const last = layers.at(-1) ?? "";
	return last.startsWith('"') ? `${layers.at(-2)} ${last}` : last;
}
customElements.define("xv6-network", Network);
