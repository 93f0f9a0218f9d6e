//! A mail server of one test's own, which takes mails or breaks where it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// What one conversation comes to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Play {
    /// The mail is taken.
    Takes,
    /// The command that begins so is answered like that.
    Answers(&'static str, &'static str),
    /// The connection ends when the command that begins so comes.
    HangsUpAt(&'static str),
    /// Nothing is said any more from the command that begins so on.
    SilentAt(&'static str),
    /// The data are answered like that.
    AnswersData(&'static str),
    /// The connection ends after the data.
    HangsUpAfterData,
    /// Nothing is said after the data.
    SilentAfterData,
}

/// A mail that was seen, whether or not it was taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Mail {
    pub(super) commands: Vec<String>,
    pub(super) data: String,
    pub(super) login: String,
}

pub(super) struct SmtpServer {
    address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl SmtpServer {
    /// Plays one after another, a conversation each; then takes whatever comes.
    pub(super) fn start(plays: &[Play]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let (seen, plays) = (Arc::clone(&mails), plays.to_vec());
        thread::spawn(move || {
            for (stream, play) in listener.incoming().zip(plays.into_iter().chain(std::iter::repeat(Play::Takes))) {
                seen.lock().unwrap().push(Mail::default());
                // A client may go away at any time.
                talk(&stream.unwrap(), play, &seen).unwrap_or_default();
            }
        });
        Self { address, mails }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What was seen, a conversation each.
    pub(super) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

fn talk(stream: &TcpStream, play: Play, seen: &Mutex<Vec<Mail>>) -> std::io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    let mut say = move |line: &str| writer.write_all(format!("{line}\r\n").as_bytes());
    // Before an answer goes out, so that who has it finds what led to it.
    let record = |note: &dyn Fn(&mut Mail)| note(seen.lock().unwrap().last_mut().unwrap());
    say("220 mail.example.com")?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let command = std::mem::take(&mut line).trim_end().to_owned();
        record(&|mail| mail.commands.push(command.clone()));
        match play {
            Play::Answers(at, answer) if command.starts_with(at) => {
                say(answer)?;
                continue;
            }
            Play::HangsUpAt(at) if command.starts_with(at) => return Ok(()),
            Play::SilentAt(at) if command.starts_with(at) => return reader.read_to_end(&mut Vec::new()).map(drop),
            _ => {}
        }
        match command.split(' ').next().unwrap_or_default() {
            "EHLO" => say("250-mail.example.com\r\n250 AUTH PLAIN")?,
            "AUTH" => {
                let encoded = command.rsplit(' ').next().unwrap_or_default();
                let login = String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap();
                record(&|mail| mail.login = login.replace('\0', "/"));
                say("235 welcome")?;
            }
            "DATA" => {
                say("354 go on")?;
                let data = read_data(&mut reader)?;
                record(&|mail| mail.data.clone_from(&data));
                match play {
                    Play::AnswersData(answer) => say(answer)?,
                    Play::HangsUpAfterData => return Ok(()),
                    Play::SilentAfterData => return reader.read_to_end(&mut Vec::new()).map(drop),
                    _ => say("250 taken")?,
                }
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 ok")?,
        }
    }
    Ok(())
}

fn read_data(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut data = String::new();
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 && line != ".\r\n" {
        data.push_str(&line);
        line.clear();
    }
    Ok(data)
}
