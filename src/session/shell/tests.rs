//! Tests of [`super`].

use super::*;
use proptest::prelude::*;

/// The commands of a table, each on a line; a `\n` in it is written as such.
fn all(commands: &str, reach_of_all: Reach) {
    for command in commands.lines().map(|line| line.trim().replace("\\n", "\n")).filter(|line| !line.is_empty()) {
        assert_eq!(reach(&command), reach_of_all, "{command}");
    }
}

#[test]
fn what_only_reads_owns_nothing() {
    let commands = r#"
        grep -rn foo .
        ls -la; pwd
        git log --oneline -5
        cd src && git status --short && git diff --stat
        cat f | head -20
        find . -name '*.rs' -not -path './target/*' 2>/dev/null | head
        find . -type f -exec grep -l foo {} \; | sort -u
        find . -name '*.py' -print0 | xargs -0 grep -n foo
        rg -n 'fn main' src | sort | uniq -c | sort -rn
        sed -n '1,20p' src/main.rs
        sed 's/new/west/; s/a/b/g' f | tail -3
        awk '{print $1, $NF}' f | tr a b
        wc -l $(git ls-files '*.rs') 2>&1 | tail -20
        sleep 5; echo done >&2
        echo "$HOME" "`date`" > /dev/null 2>&1
        which node || command -v nodejs; test -f x && [ -d y ]
        for f in *.rs; do echo "== $f"; head -3 "$f"; done
        while read -r l; do printf '%s\n' "$l"; done < <(ls)
        if grep -q x y; then echo yes; else echo no; fi
        ps aux | grep node | awk '{print $2}'
        curl -fsSL -H 'Accept: text/html' http://localhost:8080/x | jq .
        timeout 5 tail -f log; env | sort
        diff <(sort a) <(sort b)
        cat <<'EOF' | wc -l\n$(rm x)\nEOF
        bash -lc 'git show HEAD:f | less'
        git show HEAD:f | grep -c x
        git diff main..other -- f | cat
        git fetch && git push 2>&1 | tail -1
        git add -A
        x=$(git rev-parse HEAD); echo $x
        git --version; git
        /usr/bin/head -1 f
    "#;
    all(commands, Reach::None);
}

#[test]
fn what_may_write_owns_what_it_writes() {
    let commands = r#"
        cargo test 2>&1 | tail -20
        make
        python3 x.py; ls
        echo x > f
        grep foo . >> found
        ls >| f
        ls &> f
        ls >&f
        sort -uo f f
        sort --output=f f
        sed -i s/a/b/ f
        sed -n '/x/w out' f
        sed 's/a/date/ge' f
        find . -name x -delete
        find . -name x -exec rm {} +
        find . -fprint f
        awk '{print > "f"}' g
        awk -f x.awk g
        uniq a b
        ls | tee f
        find . | xargs rm
        find . | xargs sort
        curl -sSLo f http://localhost/x
        curl --output f http://localhost/x
        ./ls
        $EDITOR f
        cat f | sh
        env -S 'rm f'
        eval "$x"
        . ./env
        exec > f
        (ls; grep x y) > f
        for f in a b; do cat $f; done > c
        echo $(touch f)
        cat <<EOF\n$(touch f)\nEOF
        echo "${x:-$(touch f)}"
        command -p touch f
        ls & touch f
        f() { ls; }; f
        git commit -m 'git stash pop'
        git add -A && git commit -m "$(cat <<'EOF'\ngit stash pop\nEOF\n)" && git push
        git mv a b
        git config -f .gitmodules a.b c
        git checkout -b topic
        git checkout -qb topic
        git switch topic
        git worktree add ../x
        git apply <<X\n--- a/f\nX
        git apply -p1 - <<'X' && make\n+$(git stash pop)\nX
        cat <<'X' | git apply --index\n+x\nX
        printf '%s' '--- a/f' | git apply
        patch -p1 <<X\n+x\nX
        git stash list; echo x >> f
        git diff --name-only | xargs prettier --write
        for f in $(git diff --name-only HEAD); do sed -i s/a/b/ $f; done
        git grep -l foo | xargs sed -i s/foo/bar/
        git show --stat | tee log
        git diff --stat > stat
        git log --oneline > log
        git rev-parse HEAD > VERSION
        git show HEAD:f | head -3; echo x >> f
        git diff | wc -l && cargo fmt
        cat > notes <<'EOF'\ngit stash pop\nEOF
        touch f; echo git merge
        case x in x) git status;; esac
        case x in x) git diff 2>&1 >/dev/null;; esac
        legit stash
    "#;
    all(commands, Reach::Any);
}

#[test]
fn what_git_brings_is_nobodys() {
    let commands = r#"
        git stash pop
        git -C sub -c a.b=c merge --squash topic
        cd x && git checkout main -- f || true
        if true; then /usr/bin/git cherry-pick -n x; fi
        sh -c 'git reset --soft HEAD~1'
        echo $(git restore f)
        echo f | xargs git apply
        git $command
        git co x
        git merge --abort
        git show other:f > f
        git show other:f >> f 2>/dev/null
        git cat-file -p other:f > f
        git archive other f | tar x
        git archive -o x.tar other && tar xf x.tar
        git diff main other -- f | patch -sp1
        git diff main other -- f | git apply
        git diff --output=p; patch < p
        git diff --stat -p main | patch
        git log -p -1 | tee log
        git format-patch --stdout main..other | patch -sp1
        git format-patch -1
        git stash show -p | patch -R
        git show other:f | sed s/a/b/ | grep -v x > f
        git show other:f | python3 x.py
        git show other:f | sh -c 'cat > f'
        git show other:f |\n (cat; echo x) > f
        (cd x && git show other:f) > f
        { git show other:f; echo x; } | tee f
        for f in a b; do git show other:$f; done > f
        git show other:f | while read -r l; do echo "$l" >> f; done
        while read -r l; do echo "$l" >> f; done < <(git show other:f)
        x=$(git show other:f); echo "$x" > f
        echo "`git show other:f`" > f
        patch <<< "$(git diff main other)"
        cp <(git show other:f) f
        bash -c 'git show other:f' > f
        cat <<X > f\n$(git show other:f > g)\nX
        git apply p
        git apply < p
        git apply p <<X\n+x\nX
        echo "$x" | git apply
        git checkout -- f
        case x in x) git stash pop;; esac
        case x in x) git show other:f > f;; esac
    "#;
    all(commands, Reach::Brings);
}

#[test]
fn gits_commands_are_judged_by_their_arguments() {
    let commands = r#"
        stash list: Reads
        stash show: Prints
        stash drop: Reads
        stash: Brings
        stash apply: Brings
        stash push -- list: Brings
        reset: Reads
        reset -q: Reads
        reset HEAD f: Reads
        reset -- f: Reads
        reset main -- f: Reads
        reset main --: Brings
        reset HEAD~1: Brings
        reset --soft HEAD: Brings
        reset --hard: Brings
        reset --merge: Brings
        reset --keep: Brings
        restore --staged f: Reads
        restore -S f: Reads
        restore -SW f: Brings
        restore --staged --worktree f: Brings
        restore --source=main f: Brings
        apply --stat p: Reads
        apply --check p: Reads
        apply --stat --apply p: Brings
        apply --3way p: Brings
        rebase --show-current-patch: Prints
        rebase --abort: Brings
        am --show-current-patch=diff: Prints
        am x: Brings
        merge --abort: Brings
        bisect log: Reads
        bisect view: Reads
        bisect start: Brings
        rerere status: Reads
        rerere diff: Reads
        rerere: Brings
        cherry -v: Reads
        cherry-pick x: Brings
        check-attr -a f: Reads
        check-ignore f: Reads
        lfs version: Reads
        lfs ls-files: Reads
        lfs track *.bin: Writes
        lfs pull: Brings
        show-branch: Reads
        sparse-checkout list: Reads
        sparse-checkout set x: Brings
        verify-commit HEAD: Reads
        verify-tag v1: Reads
        credential-cache exit: Reads
        worktree list: Reads
        worktree add x: Writes
        submodule status: Reads
        submodule summary: Reads
        submodule update: Writes
        notes add: Reads
        remote -v: Reads
        config a.b c: Reads
        config --file x a.b c: Writes
        rev-list --count HEAD: Reads
        show: Prints
        show --stat: Reads
        show -s: Reads
        diff -U5: Prints
        diff --name-only: Reads
        diff --stat=80: Reads
        log: Reads
        log -p: Prints
        log --output=f: Brings
        cat-file -p x: Prints
        cat-file -t x: Reads
        archive HEAD: Prints
        archive --list: Reads
        archive -o f HEAD: Brings
        format-patch -1: Brings
        format-patch -1 --stdout: Prints
        -C x -c a=b status: Reads
        --no-pager diff: Prints
        -c: Reads
        unknown: Brings
    "#;
    for line in commands.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (arguments, expected) = line.rsplit_once(": ").unwrap();
        let arguments: Vec<&str> = arguments.split(' ').collect();
        assert_eq!(format!("{:?}", git::does(&arguments, false)), expected, "git {line}");
    }
    assert_eq!(git::does(&["apply", "-p1", "-"], true), Does::Writes);
    assert_eq!(git::does(&["apply", "p"], true), Does::Brings);
}

#[test]
fn programs_are_named() {
    for (command, expected) in [
        ("cargo test", "cargo"),
        ("cd x && FOO=1 BAR='a b' ./bin/cargo test --all | tee log; git status &", "cargo tee git"),
        ("sudo -u root -E apt-get install jq", "sudo apt-get"),
        ("env -i A=1 timeout -k 5 10s python3 x.py", "env timeout python3"),
        ("(cd a; make) && (ls)", "make ls"),
        ("echo \"$(git rev-parse HEAD) `date`\"", "git date"),
        ("diff <(sort a) <(sort -u b) 2>&1 >/dev/null", "sort sort diff"),
        ("cat <<'EOF' > run.sh\nrm -rf /\nEOF\nchmod +x run.sh", "cat chmod"),
        ("cat <<-EOF\n\trm x\n\tEOF\nls", "cat ls"),
        ("git commit -m \"$(cat <<'EOF'\na message; rm x\nEOF\n)\" && git push", "cat git git"),
        ("for f in *.rs; do rustfmt \"$f\"; done", "rustfmt"),
        ("if grep -q x y; then sed -i s/x/y/ y; else true; fi", "grep sed"),
        ("while read -r l; do printf '%s' \"$l\"; done < <(find . -name '*.c')", "find"),
        ("[[ -f a && ! -d b ]] || touch a", "touch"),
        ("x=$((1 + 2)); ((x++)); jq . f", "jq"),
        ("bash -lc 'npm ci && npm test'", "bash npm npm"),
        ("find . -print0 | xargs -0 -n 1 wc -l", "find xargs wc"),
        ("command -v node || exec node -e 'process.exit(1)'", "node"),
        ("time -p make -j2 # then; rm x", "make"),
        ("$EDITOR file; \"$HOME/bin/x\" y", ""),
        ("echo a \\\n  b; ls\\ x", "ls x"),
        ("2>err ls 2>/dev/null >>log 3<&1", "ls"),
        ("a|b|&c||d", "a b c d"),
        ("echo hi", ""),
        ("", ""),
    ] {
        assert_eq!(programs(command).join(" "), expected, "{command}");
    }
}

#[test]
fn what_is_not_understood_yields_nothing() {
    for command in [
        "echo 'open; rm x",
        "ls \"$(rm x",
        "case $1 in a) rm x;; esac",
        "f() { rm x; }; f",
        "function f { rm x; }",
        "(ls",
        "ls)",
        "a=(rm x)",
        "ls `rm",
    ] {
        assert!(programs(command).is_empty(), "{command}");
    }
    assert!(programs(&format!("{}ls{}", "(".repeat(9_000), ")".repeat(9_000))).len() <= 1);
    assert!(programs(&"$(".repeat(9_000)).is_empty());
    assert_eq!(programs(&"sudo ".repeat(9_000)).len(), MAX_PROGRAMS);
    assert!(programs(&"ls;".repeat(100_000)).is_empty());
    assert_eq!(programs(&"ls;".repeat(1_000)).len(), MAX_PROGRAMS);
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(command in "\\PC*") {
        programs(&command);
        reach(&command);
    }

    #[test]
    fn any_mix_of_shell_is_read_without_harm(
        parts in proptest::collection::vec(
            prop_oneof![
                "[a-z ]{0,4}", "[-$(){}<>|&;`'\"\\\\#\n=\\[\\]]", Just("<<E\n".to_owned()), Just("$(".to_owned()),
                Just("sudo ".to_owned()), Just("bash -c '".to_owned()), Just("timeout ".to_owned())
            ],
            0..40,
        ),
    ) {
        for name in programs(&parts.concat()) {
            prop_assert!(!name.is_empty() && !name.contains('/'));
        }
    }
}
