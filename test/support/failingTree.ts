/** A program of which each argument goes wrong in its own way, and a kernel that helps it. */
export const failingProgram = `#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"

int counter;
struct pair { int left; int right; } pair;

static void
store(char *where)
{
  *where = 1;
}

int
main(int argc, char *argv[])
{
  char *what = argc > 1 ? argv[1] : "";

  for(int i = 0; i < 3; i++){
    counter += i;
    pair.right = counter;
  }
  if(strcmp(what, "null") == 0)
    store((char*)0x3000000);
  if(strcmp(what, "panic") == 0)
    kill(1001);
  if(strcmp(what, "trap") == 0)
    kill(1002);
  if(strcmp(what, "spin") == 0)
    kill(1003);
  printf("counter = %d\\n", counter);
  exit(0);
}
`;

/** In the kernel's kill(): three ways to fail. */
const edit = `{
  if(pid == 1001)
    panic("by hand");
  if(pid == 1002)
    *(volatile int*)0x40 = 1;
  if(pid == 1003){
    intr_off();
    for(;;)
      ;
  }
`;

/** kernel/proc.c with these failures in kill(). */
export function failingKernel(proc: string): string {
	const edited = proc.replace(/(\nkill\(int pid\)\n)\{\n/, (_all, head: string) => head + edit);
	if (edited === proc) throw new Error("kernel/proc.c has another kill()");
	return edited;
}
