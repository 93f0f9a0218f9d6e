//! The pages, as a browser without script gets them.

use reqwest::Method;

use super::{Answer, Place, Served};

async fn page(served: &Served, path: &str, cookie: &str) -> Answer {
    served.ask(Method::GET, path, None, &[("accept", "text/html"), ("cookie", cookie)], None).await
}

async fn form(served: &Served, path: &str, cookie: &str, fields: &str, site: &str) -> Answer {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = client.post(format!("{}{path}", served.address)).header("cookie", cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded").header("sec-fetch-site", site);
    Answer::of(request.header("accept", "text/html").body(fields.to_owned()).send().await.unwrap()).await
}

#[tokio::test]
async fn somebody_signs_in_reads_the_inbox_and_judges() {
    let place = Place::new("page").await;
    let (served, key) = (place.serve(&[]), place.key("read,explore,feedback"));
    let id = served.explore(&key).await;
    let inbox = page(&served, "/", "").await.expect(200);
    assert!(inbox.text.contains("/findings/M1") && !inbox.text.contains("Accept</button>"), "{}", inbox.text);
    assert!(inbox.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'"));
    assert_eq!(inbox.header("x-content-type-options"), "nosniff");

    let refused = form(&served, "/findings/M1/feedback", "", "kind=useful", "same-origin").await.expect(401);
    assert!(refused.text.contains("Sign in with a key"), "{}", refused.text);
    form(&served, "/sign-in", "", "key=exp_0_0", "same-origin").await.expect(401);
    let entered = form(&served, "/sign-in", "", &format!("key={key}"), "same-origin").await.expect(303);
    let cookie = entered.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let inbox = page(&served, "/", cookie).await.expect(200);
    assert!(inbox.text.contains("Accept</button>"), "{}", inbox.text);

    // Another site cannot say anything in somebody's name.
    form(&served, "/findings/M1/feedback", cookie, "kind=useful", "cross-site").await.expect(403);
    form(&served, "/findings/M1/feedback", cookie, "kind=not_actionable&reason=%3Ci%3Eno%3C/i%3E", "same-origin")
        .await
        .expect(303);
    let finding = page(&served, "/findings/M1", cookie).await.expect(200);
    assert!(finding.text.contains("&lt;i&gt;no&lt;&#x2f;i&gt;"), "{}", finding.text);
    assert!(page(&served, "/", cookie).await.text.contains("No finding is open"));

    for (path, said) in [
        ("/runs", id.as_str()),
        (&format!("/runs/{id}"), "completed"),
        (&format!("/runs/{id}/report"), "tickets"),
        ("/health", "it answers"),
        ("/docs", "Follow an exploration"),
        ("/docs/problems", "sql-refused"),
    ] {
        let answer = page(&served, path, cookie).await.expect(200);
        assert!(answer.text.contains(said), "{path}: {}", answer.text);
        assert!(!answer.text.contains("<b>mail</b>"), "{path} shows text of the database as markup");
    }
    let missing = page(&served, "/nothing", cookie).await.expect(404);
    assert!(missing.text.contains("<h1>There is no such thing here</h1>"), "{}", missing.text);

    form(&served, "/sign-out", cookie, "", "same-origin").await.expect(303);
    assert!(!page(&served, "/", cookie).await.text.contains("Sign out"), "the cookie counts no more");
}
