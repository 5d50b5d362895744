# Kills every process that a worker's commands have started, and needs nothing but a shell: those whose environment
# holds the worker's token, and their descendants. Repeated until a look finds none, as what is killed may have just
# started another. Arguments: the token.
token="SHAKEDOWN_WORKER=$1"
round=0
while [ "$round" -lt 20 ]; do
  round=$((round + 1))
  doomed=" "
  more=yes
  while [ "$more" ]; do
    more=
    for folder in /proc/[0-9]*; do
      pid=${folder#/proc/}
      [ "$pid" = "$$" ] && continue
      case "$doomed" in *" $pid "*) continue ;; esac
      stat=
      { IFS= read -r stat < "$folder/stat"; } 2> /dev/null
      # What stands after the name, which may hold anything: the state, and the parent.
      rest=${stat##*) }
      state=${rest%% *}
      rest=${rest#* }
      parent=${rest%% *}
      case "$state" in "" | Z | X) continue ;; esac
      found=
      case "$doomed" in *" $parent "*) found=yes ;; esac
      if [ -z "$found" ]; then
        # A shell reads past the zero bytes between the variables.
        { while IFS= read -r line || [ "$line" ]; do
            case "$line" in *"$token"*) found=yes; break ;; esac
          done < "$folder/environ"; } 2> /dev/null
      fi
      [ "$found" ] && { doomed="$doomed$pid "; more=yes; }
    done
  done
  [ "$doomed" = " " ] && exit 0
  kill -9 $doomed 2> /dev/null
done
exit 1
