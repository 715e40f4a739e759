// grep pattern [file ...]: prints the lines that hold a match. In a pattern
// . is any character, x* any number of x, ^ the line's beginning, $ its end.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static int match_here(const char *re, const char *text);

// As few repetitions first as lead to a match.
static int
match_star(char c, const char *re, const char *text)
{
  for(;;){
    if(match_here(re, text))
      return 1;
    if(*text == 0 || (c != '.' && *text != c))
      return 0;
    text++;
  }
}

static int
match_here(const char *re, const char *text)
{
  if(re[0] == 0)
    return 1;
  if(re[1] == '*')
    return match_star(re[0], re + 2, text);
  if(re[0] == '$' && re[1] == 0)
    return *text == 0;
  if(*text == 0 || (re[0] != '.' && re[0] != *text))
    return 0;
  return match_here(re + 1, text + 1);
}

static int
match(const char *re, const char *text)
{
  if(re[0] == '^')
    return match_here(re + 1, text);
  for(;; text++){
    if(match_here(re, text))
      return 1;
    if(*text == 0)
      return 0;
  }
}

static char buf[1024];

// Handles whole lines; what is left of the last one moves to the front.
static void
grep(const char *pattern, int fd)
{
  int have = 0, n;

  while((n = read(fd, buf + have, sizeof(buf) - 1 - have)) > 0){
    have += n;
    buf[have] = 0;
    char *line = buf, *end;
    while((end = strchr(line, '\n')) != 0){
      *end = 0;
      if(match(pattern, line)){
        *end = '\n';
        write(1, line, end + 1 - line);
      }
      line = end + 1;
    }
    have -= line - buf;
    // A line that fills the buffer is given up.
    if(have == sizeof(buf) - 1)
      have = 0;
    memmove(buf, line, have);
  }
  buf[have] = 0;
  if(have > 0 && match(pattern, buf))
    printf("%s\n", buf);
}

int
main(int argc, char **argv)
{
  if(argc < 2){
    fprintf(2, "usage: grep pattern [file...]\n");
    exit(1);
  }
  if(argc == 2)
    grep(argv[1], 0);
  for(int i = 2; i < argc; i++){
    int fd = open(argv[i], O_RDONLY);
    if(fd < 0){
      fprintf(2, "grep: cannot open %s\n", argv[i]);
      exit(1);
    }
    grep(argv[1], fd);
    close(fd);
  }
  exit(0);
}
