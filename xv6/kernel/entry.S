        // The boot code enters here with every hart at once, in machine
        // mode, paging off. kernel.ld places this at KERNBASE.
        // C needs a stack, so give each hart its own page of stack0
        // (start.c); stacks grow down from the end of the page.
.section .text
.global _entry
_entry:
        csrr t0, mhartid
        addi t0, t0, 1
        slli t0, t0, 12         // (hartid + 1) * 4096
        la sp, stack0
        add sp, sp, t0
        call start
halt:                           // start() does not return
        j halt
