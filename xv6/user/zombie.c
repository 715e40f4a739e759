// Leaves a child that ends before its parent asks for it: a zombie, until the
// parent ends too and init waits for it. Ctrl-P shows it meanwhile.

#include "kernel/types.h"
#include "user/user.h"

#define LONG_ENOUGH 5   // ticks: by then the child has ended

int
main(void)
{
  int child = fork();

  if(child < 0){
    fprintf(2, "zombie: fork failed\n");
    exit(1);
  }
  if(child != 0)
    sleep(LONG_ENOUGH);
  exit(0);   // both of them
}
