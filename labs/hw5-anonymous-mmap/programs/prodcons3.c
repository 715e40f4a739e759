// As prodcons1, over a shared mapping of three pages of which the parent has touched
// only the last before it forks: total = 2048 if all members of the mapping's
// family get the same frame for the two others, no matter which touches them first.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"

#define MAX 2048
#define VALUE(i) 1  // so that the total counts the values
#include "user/prodcons.h"

static void
run_in_child(void (*work)(void))
{
  int pid = fork();

  if(pid < 0){
    printf("fork failed\n");
    exit(1);
  }
  if(pid == 0){
    work();
    exit(0);
  }
  // Nobody else runs on the buffer meanwhile: there is no race.
  wait(0);
}

int
main(void)
{
  map_buffer(MAP_SHARED);
  run_in_child(producer);
  run_in_child(consumer);
  printf("total = %d\n", buffer->total);
  exit(0);
}
