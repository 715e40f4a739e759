/**
 * The reset vector of QEMU's board (hw/riscv/boot.c, riscv_setup_rom_reset_vec): a0 = hartid, a1 = device tree, a2 = the
 * structure after it (`fw_dynamic_info` of OpenSBI), then a jump to the entry.
 */
const code = [
	0x00000297, // auipc t0, 0
	0x02828613, // addi a2, t0, 40
	0xf1402573, // csrr a0, mhartid
	0x0202b583, // ld a1, 32(t0)
	0x0182b283, // ld t0, 24(t0)
	0x00028067, // jr t0
];
/** OpenSBI, include/sbi/fw_dynamic.h. */
const dynamicMagic = 0x4942534fn;
const dynamicVersion = 2n;
const supervisorMode = 1n;

/** The ROM's bytes from the reset address on. `nextStage`: where firmware continues in supervisor mode; 0: nowhere. */
export function resetVector(entry: bigint, deviceTree: bigint, nextStage: bigint): Uint8Array {
	const words = [entry, deviceTree, dynamicMagic, dynamicVersion, nextStage, supervisorMode, 0n, 0n];
	const view = new DataView(new ArrayBuffer(4 * code.length + 8 * words.length));
	code.forEach((word, i) => {
		view.setUint32(4 * i, word, true);
	});
	words.forEach((word, i) => {
		view.setBigUint64(4 * code.length + 8 * i, word, true);
	});
	return new Uint8Array(view.buffer);
}
