/** Harts that take a lock in turn, count, clear and copy a buffer, take timer interrupts, and run S-mode code under Sv39. */
export const busy = `
	csrr s0, mhartid
	la t0, trap
	csrw mtvec, t0
	la sp, stacks
	slli t0, s0, 8
	add sp, sp, t0
	# a timer interrupt every 2000 ticks
	li s1, 0x2004000
	slli t0, s0, 3
	add s1, s1, t0
	csrr t1, time
	addi t1, t1, 2000
	sd t1, (s1)
	li t0, 0x80
	csrw mie, t0
	# Sv39: one gigapage for RAM
	la t0, root
	li t1, 0x200000cf
	sd t1, 16(t0)
	srli t0, t0, 12
	li t1, 8
	slli t1, t1, 60
	or t0, t0, t1
	csrw satp, t0
	li t0, 0x800
	csrs mstatus, t0
	la t0, supervisor
	csrw mepc, t0
	mret
supervisor:
	la s2, lock
	la s3, counter
	li s4, 1
loop:
	amoswap.d t0, s4, (s2)
	bnez t0, loop
	ld t0, (s3)
	addi t0, t0, 1
	sd t0, (s3)
	amoswap.d zero, zero, (s2)
	# memset of a buffer of this hart's own, across a page end
	la t0, buffers
	slli t1, s0, 14
	add t0, t0, t1
	li t1, 3000
	add t1, t0, t1
	mv t2, t0
1:	sb s4, (t2)
	addi t2, t2, 1
	bne t2, t1, 1b
	# copy it up
	mv t2, t0
	li t4, 5001
	add t3, t0, t4
2:	lbu t4, (t2)
	sb t4, (t3)
	addi t2, t2, 1
	addi t3, t3, 1
	bne t2, t1, 2b
	addi s4, s4, 1
	fence.i
	sfence.vma
	j loop
	.align 4
trap:
	csrrw sp, mscratch, sp
	la sp, traps
	sd t0, 256(sp)
	csrr t0, time
	addi t0, t0, 1000
	addi t0, t0, 1000
	sd t0, (s1)
	ld t0, (sp)
	addi t0, t0, 1
	sd t0, (sp)
	ld t0, 256(sp)
	csrrw sp, mscratch, sp
	mret
	.align 12
lock:	.zero 64
counter: .zero 64
traps:	.zero 4096
stacks:	.zero 4096
	.align 12
root:	.zero 4096
buffers: .zero 4096
`;
