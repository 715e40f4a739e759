# Starts main() in machine mode with the FPU on, and ends the run through the test finisher.
.macro set_register register, address
	la \register, \address
.endm

.section .text.start, "ax"
.globl _start
_start:
	set_register sp, stack_top
	li t0, 0x6000
	csrs mstatus, t0
	set_register t0, trapped
	csrw mtvec, t0
	call main
	li a0, 0x5555
finish:
	li t0, 0x100000
	sw a0, 0(t0)
1:	j 1b
.balign 4
trapped:
	li a0, 0x13333
	j finish

.bss
.balign 16
	.space 0x100000
stack_top:
